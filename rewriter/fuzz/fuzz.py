# SPDX-License-Identifier: BSD-3-Clause
"""fuzz KMOBJ --runs N [--seed S]: convert N random programs and hold them to
what every conversion owes:

  parses    each unit compiles, `kmobj verify' finds nothing
  again     a second run of the rewriter on its output changes nothing
  sites     `kmobj scan' lists each call the generator wrote, no other; the plan
            converts or refuses each; no call of a converted one is left
  trace     the program and its conversion, run with model allocators, with the
            address and undefined behaviour sanitizers, print the same, with the
            programs' option and without

Programs come from generate.py and lie many in a tree, with the common headers
of lit-tests/Inputs.  The driver that runs them is driver.c, the allocators are
in model.c.  Program number n of a seed is always the same.

A program that fails is made smaller as long as it fails in the same way (the
first few of a run), kept below --keep with its trees, and named by the command
that makes it again.

--mutants N breaks N conversions by hand instead, each in one of the ways below,
and succeeds if every way is found out at least once.
"""

import argparse
import collections
import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import generate

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TOOLS = os.path.join(ROOT, "lit-tests", "tools")
SHIMS = os.path.join(ROOT, "shims")
FLAGS = ["-std=gnu17", "-ffreestanding", "-nostdinc", "-D_KERNEL", "-w", "-O0",
         "-fno-strict-aliasing", "-fsanitize=address,undefined",
         "-fno-sanitize-recover=undefined"]
NO_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)
CALL = re.compile(r"(?<!->)\b(z(?:init|initna|bootinit|alloc|free|destroy)|objcache_"
                  r"(?:create|create_simple|create_mbacked|get|put|dtor|destroy"
                  r"|populate_linear|reclaimlist|set_cluster_limit))\s*\(")
PATIENCE = 300      # seconds for any one command


def run(command, cwd=None, env=None):
    """Exit code and all the output of a command."""
    try:
        done = subprocess.run(command, cwd=cwd, env=env, text=True,
                              errors="replace", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return -1, "no end within %d seconds" % PATIENCE
    return done.returncode, done.stdout


def read(*path):
    with open(os.path.join(*path), encoding="latin-1", newline="") as f:
        return f.read()


def write(text, *path):
    name = os.path.join(*path)
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "w", encoding="latin-1", newline="") as f:
        f.write(text)


class Failures:
    """Of which program, which property, and how it shows."""

    def __init__(self, programs):
        self.names = {p.name for p in programs}
        self.found = []

    def add(self, program, prop, text):
        self.found.append((program, prop, text.strip()))

    def blame(self, prop, text):
        """Those that the text names; else nobody in particular."""
        named = sorted(self.names & set(re.findall(r"\bp\d+(?=[_.])", text)))
        for name in named:
            lines = [l for l in text.splitlines() if name in l]
            self.add(name, prop, "\n".join(lines[:8]))
        if not named:
            self.add(None, prop, text[-2000:])


class Harness:
    def __init__(self, kmobj, clang, work):
        self.kmobj, self.clang, self.work = os.path.abspath(kmobj), clang, work
        self.common, self.before, self.shrunk = [], {}, 0
        self.totals = collections.Counter()
        self.reasons = collections.Counter()

    def compile(self, sources, tree, objects, flags=()):
        """Objects of those that compile, and what was said about the rest."""
        os.makedirs(objects, exist_ok=True)
        command = [self.clang, *FLAGS, *flags, "-I" + tree, "-idirafter", SHIMS,
                   "-c"]
        code, said = run(command + sources, cwd=objects)
        made = [os.path.join(objects, os.path.basename(s)[:-2] + ".o")
                for s in sources]
        return [o for o in made if os.path.exists(o)], said if code else ""

    def traces(self, programs, tree, where, failures, prop):
        """What each program prints that compiles, without and with the
        option."""
        off = self.trace(programs, tree, where, failures, prop)
        on = self.trace(programs, tree, where + "-on", failures, prop,
                        ["-D" + generate.OPTION])
        return {n: off[n] + "== with the option\n" + on[n]
                for n in off.keys() & on.keys()}

    def trace(self, programs, tree, where, failures, prop, flags=()):
        if not self.common:
            self.common, said = self.compile(
                [os.path.join(HERE, f) for f in ("driver.c", "model.c")],
                tree, os.path.join(self.work, "model"))
            if said:
                sys.exit(said)
        sources = [os.path.join(tree, n) for p in programs for n in p.files()
                   if n.endswith(".c")]
        objects, said = self.compile(sources, tree, where, flags)
        if said:
            failures.blame(prop, said)
        names = {os.path.basename(o) for o in objects}
        good = [p for p in programs if all(
            os.path.basename(n)[:-2] + ".o" in names
            for n in p.files() if n.endswith(".c"))]
        index = os.path.join(where, "index.c")
        write(generate.index(good), index)
        more, said = self.compile([index], tree, where, flags)
        wanted = [os.path.join(where, os.path.basename(n)[:-2] + ".o")
                  for p in good for n in p.files() if n.endswith(".c")]
        program = os.path.join(where, "driver")
        code, said = run([self.clang, "-fsanitize=address,undefined", "-o",
                          program, *self.common, *more, *wanted])
        if code:
            failures.blame(prop, said)
            return {}
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
        code, out = run([program], env=environment)
        traces = {}
        for part in re.split(r"(?m)^== ", out)[1:]:
            name, text = part.split("\n", 1)
            # Where the sanitizers report, addresses follow.
            traces[name] = re.sub(r"(?ms)^={20,}.*?(?=^exit )|"
                                  r"^\S+:\d+:\d+: runtime error.*?(?=^exit )",
                                  "sanitizer\n", text)
            write(text, where, name + ".trace")
        return traces

    def lay(self, programs, root):
        shutil.rmtree(root, ignore_errors=True)
        tree = os.path.join(root, "sys")
        for program in programs:
            for name, text in program.files().items():
                write(text, tree, name)
        os.makedirs(os.path.join(tree, "sys"), exist_ok=True)
        shutil.copy(os.path.join(HERE, "pool.h"),
                    os.path.join(tree, "sys", "pool.h"))
        self.script("maketree", root)

    @staticmethod
    def script(tool, *arguments):
        code, said = run([sys.executable, os.path.join(TOOLS, tool + ".py"),
                          *arguments])
        if code:
            sys.exit(said)

    def databases(self, root, number):
        """Without the option and with it; the order is to make no difference."""
        self.script("compdb", root)
        on = os.path.join(root, "on")
        self.script("compdb", root, "--into", on, "-D", generate.OPTION)
        both = ["-p", root, "-p", on]
        return both if number % 2 else both[2:] + both[:2]

    def convert(self, programs, root, failures):
        """Everything a user does; the converted tree is root/out/sys."""
        def kmobj(verb, *arguments):
            code, said = run([self.kmobj, verb, *arguments])
            if code not in (0, 1) or verb == "verify" and code:
                failures.blame("parses" if verb == "verify" else "sites",
                               "kmobj %s: exit %d\n%s" % (verb, code, said))
                return None
            return said

        at = lambda *name: os.path.join(root, *name)
        common = [*self.databases(root, number_of(programs[0].name)),
                  "--tree", at("sys")]
        facts = ["--facts", at("facts.json")]
        decided = [*facts, "--plan", at("plan.yaml")]
        if kmobj("scan", *common, "-o", at("facts.json")) is None \
                or kmobj("plan", *facts, "-o", at("plan.yaml")) is None:
            return False
        os.mkdir(at("out"))
        said = kmobj("rewrite", *common, *decided, "--output-tree",
                     at("out", "sys"))
        if said is None:
            return False
        kmobj("verify", *common, *decided, "--converted", at("out", "sys"))
        self.sites(programs, root, said, failures)
        self.again(programs, root, failures, kmobj)
        return True

    def sites(self, programs, root, said, failures):
        with open(os.path.join(root, "facts.json")) as f:
            facts = json.load(f)
        seen = collections.defaultdict(set)
        for span in [s["name"] for s in facts.get("sites", [])] + [
                m["text"] for m in facts.get("mentions", [])
                if m["kind"] == "function"
                and m["state"] in ("inactive", "dropped", "unexpanded")]:
            program = os.path.basename(span["file"]).split("_")[0]
            seen[program.split(".")[0]].add((span["file"], span["begin"]))
        for p in programs:
            if len(seen[p.name]) != p.sites + p.addresses:
                failures.add(p.name, "sites", "%d sites written, scan has %d"
                             % (p.sites + p.addresses, len(seen[p.name])))
        total = re.search(r"(\d+) converted, (\d+) refused; "
                          r"(\d+) sites converted, (\d+) left", said)
        converted, refused, done, left = map(int, total.groups())
        found = written = 0
        for p in programs:
            written += p.sites + p.addresses
            found += p.addresses
            for name in p.files():
                text = NO_CODE.sub("", read(root, "out", "sys", name))
                found += len(CALL.findall(text))
        if done + left != written:
            failures.add(None, "sites", "%d sites written, %d converted and %d "
                         "left" % (written, done, left))
        if left != found:
            failures.add(None, "sites", "%d sites left by the report, %d in "
                         "the text" % (left, found))
        self.totals.update(programs=len(programs), sites=written,
                           converted=converted, refused=refused)
        for line in said.splitlines():
            if "would not compile" in line:
                failures.blame("parses", line)
            reason = re.match(r"refused .*?\): \S+: (.*)", line)
            if reason:
                self.reasons[re.sub(r"\bp\d+\w*|\d+", "_",
                                    reason[1])[:100]] += 1

    def again(self, programs, root, failures, kmobj):
        out, third = os.path.join(root, "out"), os.path.join(root, "third")
        if kmobj("rewrite", *self.databases(out, number_of(programs[0].name)),
                 "--tree", os.path.join(out, "sys"),
                 "--output-tree", third) is None:
            return
        names = [os.path.relpath(os.path.join(d, f), third)
                 for d, _, files in os.walk(third) for f in files]
        _, differ, odd = filecmp.cmpfiles(os.path.join(out, "sys"), third,
                                          names, shallow=False)
        if differ or odd:
            failures.blame("again", "\n".join(
                name + " changes again" for name in differ + odd))

    def check(self, programs, root):
        """The failures of these programs, in a tree of their own."""
        failures = Failures(programs)
        self.lay(programs, root)
        tree = os.path.join(root, "sys")
        before = self.traces(programs, tree, os.path.join(root, "before"),
                             failures, "generator")
        self.before = before
        for name, trace in before.items():
            if len(re.findall(r"(?m)^exit 0$", trace)) != 2 \
                    and "sleeps at the limit: panic" not in trace:
                failures.add(name, "generator", trace[-400:])
        if self.convert(programs, root, failures):
            after = self.traces(programs, os.path.join(root, "out", "sys"),
                                os.path.join(root, "after"), failures, "parses")
            self.compare(before, after, failures)
        return failures.found

    @staticmethod
    def compare(before, after, failures):
        for name in sorted(before.keys() & after.keys()):
            if before[name] != after[name]:
                failures.add(name, "trace", difference(before[name],
                                                       after[name]))


def difference(before, after):
    a, b = before.splitlines(), after.splitlines()
    n = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y),
             min(len(a), len(b)))
    part = lambda t: t[n:n + 3] or ["(end)"]
    return "line %d: %s\n  before: %s\n  after:  %s" % (
        n + 1, " / ".join(a[max(0, n - 3):n]), " / ".join(part(a)),
        " / ".join(part(b)))


def number_of(name):
    return int(name[1:])


def shrink(harness, seed, number, prop, root):
    """Parts that the failure does not need; the last text of it."""
    without, text = set(), ""
    parts = generate.Program(seed, number).parts

    def fails(dropped):
        nonlocal text
        found = harness.check([generate.Program(seed, number, dropped)], root)
        for _, p, said in found:
            if p == prop:
                text = said
                return True
        return False
    if not fails(without):
        return None, ""
    for part in sorted(parts, key=lambda n: (parts[n] != "pool", n)):
        if part not in without and fails(without | {part}):
            without.add(part)
    fails(without)
    return without, text


def command(options, number, without):
    words = ["python3", os.path.relpath(__file__), options.kmobj, "--seed",
             str(options.seed), "--only", str(number)]
    if without:
        words += ["--without", ",".join(map(str, sorted(without)))]
    return " ".join(words)


def report(harness, options, found, programs):
    """Shrinks what failed and says how to see it again."""
    wanted = []
    for name, prop, text in found:
        if name is None:        # find out who it is
            names = [p.name for p in programs]
        else:
            names = [name]
        wanted += [(n, prop, text, name is None) for n in names]
    seen = set()
    for name, prop, text, guessed in wanted:
        if (name, prop) in seen:
            continue
        seen.add((name, prop))
        number = number_of(name)
        root = os.path.join(options.keep, "%d-%d-%s" % (options.seed, number,
                                                        prop))
        if guessed or harness.shrunk < 3:
            without, smaller = shrink(harness, options.seed, number, prop, root)
        else:
            without, smaller = set(), text
        if without is not None:
            harness.shrunk += 1
        else:
            shutil.rmtree(root, ignore_errors=True)
            if guessed:
                continue
            without, smaller = set(), text + "\n(not when it is alone)"
        print("FAIL %s of program %d, kept in %s\n  %s\n  %s" % (
            prop, number, root, command(options, number, without),
            smaller.replace("\n", "\n  ")), flush=True)


# How to break a conversion: pattern and replacement, for the converted text.
BLUNDERS = {
    "arguments of kfree_obj change places": (
        r"\bkfree_obj\((\w+), (\w+)\);", r"kfree_obj(\2, \1);"),
    "object freed to another type": (
        r"(?s)(\bkfree_obj\(obj, )(M_\w+)(\).*\bkfree_obj\(\w+, )"
        r"(?!\2\b)(M_\w+)", r"\1\4\3\4"),
    "constructor not set": (
        r"\bkmalloc_obj_ctor\((\w+), (?!NULL)\w+,", r"kmalloc_obj_ctor(\1, NULL,"),
    "constructors forgotten": (r"\bkmalloc_obj_ctor\([^;]*;", ";"),
    "null check dropped": (
        r"(kmalloc_c?obj\([^;]*M_INTNOWAIT\);\n)\tif \(!?p(?: == NULL)?\)\n"
        r"\t\treturn \(NULL\);\n", r"\1"),
    "fresh objects are not zero": (r"\bkmalloc_obj_reserve\([^;]*;", ";"),
    "every object is zeroed": (r"(kmalloc_obj\([^;]*)M_WAITOK\)",
                               r"\1M_WAITOK | M_ZERO)"),
    "limit not raised": (r"\bkmalloc_obj_raise_limit\([^;]*;", ";"),
    "blocks under a spinlock": (r"\bM_INTNOWAIT\b", "M_INTWAIT"),
    "must be served, and is not": (r"\bM_WAITOK\)", "M_NOWAIT)"),
    "cached in place of destroyed": (r"\bkfree_cobj_dtor\(", "kfree_cobj("),
    "limit of objects lost": (
        r"(\bkmalloc_obj_ctor\([^;]*, )[1-9]\d*(, \d+\);)", r"\g<1>0\2"),
    "object never freed": (r"\n\tkfree_c?obj\([^;]*;", "\n\t;"),
}


def mutants(harness, options):
    """Every blunder in programs of its own, each found out at least once."""
    programs = [generate.Program(options.seed, n)
                for n in range(options.mutants)]
    root = os.path.join(harness.work, "mutants")
    found = harness.check(programs, root)
    if found:
        report(harness, options, found, programs)
        return 1
    tree = os.path.join(root, "out", "sys")
    before = harness.before
    whole = {n: read(tree, n) for p in programs for n in p.files()}
    bad = 0
    for what, (pattern, replacement) in BLUNDERS.items():
        made = []
        for p in programs:
            for name in p.files():
                text = re.sub(pattern, replacement, whole[name])
                if text != whole[name]:
                    write(text, tree, name)
                    if p not in made:
                        made.append(p)
        caught, tried = set(), 0
        while made[tried:] and not caught:
            some = made[tried:tried + 5]
            tried += len(some)
            failures = Failures(programs)
            where = os.path.join(root, "mutant")
            shutil.rmtree(where, ignore_errors=True)
            after = harness.traces(some, tree, where, failures, "parses")
            harness.compare(before, after, failures)
            caught = {name for name, _, _ in failures.found}
        print("%-40s %3d made, %3d run, %3d found out"
              % (what, len(made), tried, len(caught)), flush=True)
        bad |= not caught
        for p in made:
            for name in p.files():
                write(whole[name], tree, name)
    print("PASS" if not bad else "FAIL: a blunder goes unseen, or was not made")
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.
                                     RawDescriptionHelpFormatter)
    parser.add_argument("kmobj")
    parser.add_argument("--clang", default="clang-19")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--batch", type=int, default=25,
                        help="programs in a tree")
    parser.add_argument("--only", type=int, help="this program alone")
    parser.add_argument("--without", help="parts to leave out of it: 3,4")
    parser.add_argument("--mutants", type=int, default=0)
    parser.add_argument("--keep", default="fuzz-failures",
                        help="directory for what fails")
    parser.add_argument("--reasons", action="store_true",
                        help="list why zones were refused")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = int(time.time())
    print("seed", options.seed, flush=True)
    with tempfile.TemporaryDirectory(prefix="kmobj-fuzz-") as work:
        harness = Harness(options.kmobj, options.clang, work)
        if options.mutants:
            return mutants(harness, options)
        options.keep = os.path.abspath(options.keep)
        if options.only is not None:
            without = {int(n) for n in (options.without or "").split(",") if n}
            program = generate.Program(options.seed, options.only, without)
            root = os.path.join(options.keep, "only")
            found = harness.check([program], root)
            for _, prop, text in found:
                print("FAIL %s\n  %s" % (prop, text.replace("\n", "\n  ")))
            print("the trees lie in " + root)
            return bool(found)
        failed = 0
        for first in range(0, options.runs, options.batch):
            last = min(first + options.batch, options.runs)
            programs = [generate.Program(options.seed, n)
                        for n in range(first, last)]
            found = harness.check(programs, os.path.join(work, "tree"))
            failed += len(found)
            totals = harness.totals.copy()
            if found:
                report(harness, options, found, programs)
                harness.totals = totals
        t = harness.totals
        print("%d programs, %d sites; %d zones and caches converted, %d "
              "refused; %d failures" % (t["programs"], t["sites"],
                                        t["converted"], t["refused"], failed))
        if options.reasons:
            for reason, n in harness.reasons.most_common():
                print("%5d  %s" % (n, reason))
        # Refusing everything would be no conversion at all.
        if t["converted"] < t["refused"]:
            print("FAIL: more is refused than converted")
            return 1
        return failed != 0


if __name__ == "__main__":
    sys.exit(main())
