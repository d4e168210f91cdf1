#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""mutants_test.py CC: mutants.py itself, on a small project.

Its test sees some of what may go wrong: what it does not see must be reported."""
import os
import re
import subprocess
import sys
import tempfile
import unittest

TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mutants.py")

COUNTED = """\
int
counted(int n)
{
	int i, sum = 0;

	for (i = 0; i < n; ++i)
		sum += i;
	return (sum);
}
"""

PLANTED = """
int	counted(int);
int	planted(int, int);

/*
 * if (n < 1) in a comment is no condition.
 */
int
planted(int a, int b)
{
	if (a > 10 || b > 10)
		return (1);
	return (0);
}
"""

LOCKED = """
void	spin_lock(int *);
void	spin_unlock(int *);
void	locked(int *, int *);

void
locked(int *lock, int *value)
{
	spin_lock(lock);
	*value = 4711;
	spin_unlock(lock);
}
"""

MAIN = """\
int counted(int), planted(int, int), locked(int *, int *);
static int locks, held;
void spin_lock(int *l) { held = 1; ++locks; }
void spin_unlock(int *l) { if (!held) __builtin_abort(); held = 0; }
int main(void) {
	int lock, value = 0;
	locked(&lock, &value);
	return (!(counted(4) == 6 && planted(11, 0) == 1 && planted(10, 0) == 0 &&
	    value == 4711 && LOCKS));
}
"""

NINJA = """\
rule cc
  command = {cc} {flags} -w -c $in -o $out
rule link
  command = : && {cc} $in -o $out && :
build main.o: cc main.c
build code.o: cc code.c
build prog: link main.o code.o
default prog
"""


class Mutants(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def write(self, name, text):
        path = os.path.join(self.dir.name, name)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        return path

    def run_tool(self, code, *args, locks="1"):
        self.write("code.c", code)
        self.write("main.c", MAIN)
        self.write("build.ninja", NINJA.format(cc=CC, flags="-DLOCKS=" + locks))
        subprocess.run(["ninja", "-C", self.dir.name], check=True,
                       capture_output=True)
        return subprocess.run(
            [TOOL, "--build", self.dir.name, "--run", "prog", "--all", *args,
             os.path.join(self.dir.name, "code.c")],
            capture_output=True, text=True, check=False)

    ALL = COUNTED + PLANTED + LOCKED
    SURVIVORS = {  # all of b: it is never 11
        "clause: a > 10 || b > 10 -> a > 10",
        "bound: a > 10 || b > 10 -> a > 10 || b >= 10",
        "bound: a > 10 || b > 10 -> a > 10 || b > 11",
    }

    def test_what_no_test_sees_is_reported(self):
        done = self.run_tool(self.ALL, "--only", "^(counted|planted)")
        found = set(re.findall(r"^survived: planted: (.*?) *$", done.stdout,
                               re.M))
        self.assertEqual(found, self.SURVIVORS, done.stdout + done.stderr)
        self.assertNotIn("survived: counted", done.stdout)
        self.assertRegex(done.stdout, r"planted: [1-9]\d* killed, 3 survived")
        self.assertEqual(done.returncode, 1)

    def test_a_walk_of_a_list_is_a_loop(self):
        done = self.run_tool(self.ALL.replace(
            "for (i = 0; i < n; ++i)\n\t\tsum += i;",
            "i = 0;\n\tN_FOREACH(i, n) {\n\t\tsum += i;\n\t}").replace(
            "int\n", "#define N_FOREACH(i, n) for (; i < n; ++i)\nint\n", 1),
            "--only", "counted: drop: sum")
        self.assertIn("1 mutants: 1 killed", done.stdout + done.stderr)
        self.assertEqual(done.returncode, 0)

    def test_a_hang_is_a_kill(self):
        done = self.run_tool(self.ALL, "--only", "counted: bound: .*--i",
                             "--verbose")
        self.assertIn("killed: counted", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_both_ends_of_a_lock_go_together(self):
        done = self.run_tool(self.ALL, "--only", "locked: lock")
        self.assertIn("survived: locked: lock: spin_lock(lock)", done.stdout)
        done = self.run_tool(self.ALL, "--only", "locked: lock",
                             locks="locks")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("1 killed", done.stdout)

    def test_what_is_allowed_needs_a_reason_and_must_exist(self):
        lines = ["planted: " + s for s in self.SURVIVORS]
        good = "".join(f"{line}\n\tb is never large\n" for line in lines)
        listed = self.run_tool(self.ALL, "--list").stdout.splitlines()
        self.assertLessEqual(set(lines), {" ".join(s.split()) for s in listed})
        only = ("--only", "planted", "--allowed")
        done = self.run_tool(self.ALL, *only, self.write("allowed", good))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("3 allowed", done.stdout)
        done = self.run_tool(self.ALL, *only, self.write(
            "allowed", good + "planted: drop: x = 1;\n\tno such\n"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no mutant `planted: drop: x = 1;'", done.stdout)
        done = self.run_tool(self.ALL, *only,
                             self.write("allowed", lines[0] + "\n"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("no reason is given", done.stderr)

    def test_what_does_not_compile_is_not_counted(self):
        done = self.run_tool(self.ALL.replace(
            "	sum += i;", "	sum += i; _Static_assert(2 > 1, \"\");"),
            "--only", "2 > 2")
        self.assertIn("0 mutants: 0 killed, 0 survived, 0 allowed; 1 did not",
                      done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_seed_selects(self):
        def chosen(seed):
            done = self.run_tool(self.ALL, "--seed", seed, "--only",
                                 "planted|locked", "--verbose")
            self.assertIn(f"seed {seed}: ", done.stdout)
            return re.findall(r"^(?:killed|survived): .*", done.stdout, re.M)
        self.assertEqual(chosen("1"), chosen("1"))
        self.assertNotEqual(chosen("1"), chosen("2"))

    def test_tests_that_fail_anyway_are_an_error(self):
        done = self.run_tool(self.ALL, locks="0")
        self.assertEqual(done.returncode, 2)
        self.assertIn("fails before anything is changed", done.stderr)


if __name__ == "__main__":
    CC = sys.argv.pop()
    unittest.main()
