#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""mutants.py: do the tests notice when a statement of the C files is wrong?

Every function of the files yields mutants, each with one thing changed:

  negate   a condition is negated
  clause   an operand of && or || is dropped
  drop     a statement is dropped
  bound    < becomes <=, + becomes -, ++ becomes --, 1 becomes 2, and so on
  flag     a flag is dropped from several, or becomes another
  lock     a lock is not taken, nor given back, in a whole function

Those that a seed selects are compiled into the programs in place of the file
they come from, and the programs run in the given order until one fails: then
the mutant is killed, as it is when one takes far longer than it should.  What
does not compile is not counted.  What survives must be listed, with the reason
why nobody could tell, in the file of --allowed: lines as this program prints
them, each followed by indented lines of reasoning.

Exits 1 if a mutant survives that is not listed, or one is listed that there is
none of, 2 if anything else is wrong."""
import argparse
import collections
import concurrent.futures
import hashlib
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time

Mutant = collections.namedtuple("Mutant", "path function operator old new text")

# Others of the same kind, which compile in its place.
SWAPS = {
    "VM_ALLOC_NORMAL": "VM_ALLOC_SYSTEM",
    "VM_ALLOC_SYSTEM": "VM_ALLOC_NORMAL",
    "VM_ALLOC_INTERRUPT": "VM_ALLOC_SYSTEM",
    "M_WAITOK": "M_NOWAIT",
    "M_NOWAIT": "M_WAITOK",
    "M_RNOWAIT": "M_WAITOK",
    "M_NULLOK": "M_WAITOK",
    "M_USE_RESERVE": "M_USE_INTERRUPT_RESERVE",
    "M_USE_INTERRUPT_RESERVE": "M_USE_RESERVE",
}
BOUNDS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "+": "-", "-": "+",
          "++": "--", "--": "++", "+=": "-=", "-=": "+="}
LOCKS = {"spin_lock": "spin_unlock", "crit_enter": "crit_exit",
         "lockmgr": "lockmgr"}
NOT_STATEMENTS = {"if", "while", "for", "switch", "else", "do", "case",
                  "default", "return", "goto"}
# What a test provokes on purpose or what only says something.
ASSERTIONS = {"KASSERT", "panic", "kprintf"}

TOKEN = re.compile(r"""\s+|/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\w+
                       |->|\+\+|--|<<=?|>>=?|<=|>=|==|!=|&&|\|\||\+=|-=|\|=|&=
                       |.""", re.X | re.S)


class Error(Exception):
    """Something that a person must put right."""


def scan(text):
    """Tokens of text, but for blanks, comments and directives, with offsets."""
    text = re.sub(r"^#(?:.*\\\n)*.*$", lambda m: " " * len(m[0]), text,
                  flags=re.M)
    return [(m[0], m.start()) for m in TOKEN.finditer(text)
            if not m[0].isspace() and not m[0].startswith("/*")]


def squeeze(text):
    """On one line, as a person would quote it."""
    return " ".join(re.sub(r"/\*.*?\*/", "", text, flags=re.S).split())


class Function:
    """The tokens of a function's body, and what can be done to them."""

    def __init__(self, path, text, name, tokens):
        self.path, self.text, self.name, self.toks = path, text, name, tokens
        self.pair = {}
        stack = []
        for i, (tok, _) in enumerate(tokens):
            if tok in "([{":
                stack.append(i)
            elif tok in ")]}":
                self.pair[stack.pop()] = i

    def offset(self, i):
        return self.toks[i][1]

    def end(self, i):
        return self.toks[i][1] + len(self.toks[i][0])

    def source(self, first, last):
        return self.text[self.offset(first):self.end(last)]

    def replaced(self, operator, changes, first, last):
        """The mutant that has changes, which are (token, token, new text), made
        within the statement from first to last, which it is named by."""
        base, end = self.offset(first), self.end(last)
        out, at = "", base
        for lo, hi, new in changes:
            out += self.text[at:self.offset(lo)] + new
            at = self.end(hi)
        out += self.text[at:end]
        return Mutant(self.path, self.name, operator,
                      squeeze(self.text[base:end]), squeeze(out),
                      self.text[:base] + out + self.text[end:])

    def operands(self, first, last):
        """Operands of && and || from first to last, with the parentheses that
        they may be in: lists of those that stand side by side."""
        i, start, ops = first, first, []
        while i <= last:
            if i in self.pair:
                i = self.pair[i]
            elif self.toks[i][0] in ("&&", "||"):
                ops.append((start, i - 1))
                start = i + 1
            i += 1
        if ops:
            ops.append((start, last))
            yield ops
        i = first
        while i <= last:
            if i in self.pair:
                yield from self.operands(i + 1, self.pair[i] - 1)
                i = self.pair[i]
            i += 1

    def statements(self):
        """(kind, first, last): conditions, returned values, expressions and
        jumps.  Assertions are left out, declarations without a value, too."""
        i, last = 1, len(self.toks) - 1
        while i < last:
            tok = self.toks[i][0]
            if tok in ("{", "}", ";", "else", "do"):
                i += 1
            elif tok in ("if", "while", "switch"):
                if tok != "switch":
                    yield "condition", i + 2, self.pair[i + 1] - 1
                i = self.pair[i + 1] + 1
            elif tok == "for":
                at, semis = i + 2, []
                while at < self.pair[i + 1]:
                    at = self.pair.get(at, at)
                    if self.toks[at][0] == ";":
                        semis.append(at)
                    at += 1
                if semis[1] > semis[0] + 1:
                    yield "condition", semis[0] + 1, semis[1] - 1
                for lo, hi in ((i + 2, semis[0] - 1),
                               (semis[1] + 1, self.pair[i + 1] - 1)):
                    if lo <= hi:
                        yield "part", lo, hi
                i = self.pair[i + 1] + 1
            elif tok.endswith("_FOREACH"):
                i = self.pair[i + 1] + 1
            elif tok in ("case", "default"):
                while self.toks[i][0] != ":":
                    i += 1
                i += 1
            else:
                end = i
                while self.toks[end][0] != ";":
                    end = self.pair.get(end, end) + 1
                if tok == "return":
                    if end > i + 1:
                        yield "value", i + 1, end - 1
                    else:
                        yield "statement", i, end
                elif tok == "goto" or tok in ASSERTIONS:
                    pass
                elif self.is_declaration(i, end):
                    yield "part", i, end
                else:
                    yield "statement", i, end
                i = end + 1

    def is_declaration(self, first, last):
        return re.match(r"(const\s|static\s|volatile\s|struct\s)*\w+\s+\**\w+"
                        r"\s*[=;,\[]|(const |static |struct )",
                        self.source(first, last)) is not None

    def is_lock(self, i):
        name = self.toks[i][0]
        return name in LOCKS or name in LOCKS.values()

    def mutants(self):
        for kind, first, last in self.statements():
            if kind == "condition" or kind == "value" and any(
                    self.toks[i][0] in ("&&", "||", "<", "<=", ">", ">=", "==",
                                        "!=", "!")
                    for i in range(first, last + 1)):
                yield self.replaced(
                    "negate",
                    [(first, last, "!(" + self.source(first, last) + ")")],
                    first, last)
                for ops in self.operands(first, last):
                    for n, (lo, hi) in enumerate(ops):
                        lo, hi = (lo, hi + 1) if n == 0 else (lo - 1, hi)
                        yield self.replaced("clause", [(lo, hi, "")], first,
                                            last)
            if kind == "statement" and not self.is_lock(first):
                yield self.replaced("drop", [(first, last, ";")], first, last)
            if kind != "statement" or not self.is_lock(first):
                yield from self.small(first, last)
        yield from self.locks()

    def small(self, first, last):
        for i in range(first, last + 1):
            tok = self.toks[i][0]
            before, after = self.toks[i - 1][0], self.toks[i + 1][0]
            binary = re.match(r"[\w)\]]", before) and before != "return"
            if tok in BOUNDS and (binary or tok in ("++", "--")):
                yield self.replaced("bound", [(i, i, BOUNDS[tok])], first, last)
            elif re.fullmatch(r"[0-9]+", tok) and tok != "0" and \
                    before not in ("<<", ">>") and \
                    (before, after) != ("=", ";") and \
                    last - first > 2 and not (before == "[" and after == "]"):
                yield self.replaced("bound", [(i, i, str(int(tok) + 1))],
                                    first, last)
            elif tok in SWAPS:
                yield self.replaced("flag", [(i, i, SWAPS[tok])], first, last)
            if re.fullmatch(r"[A-Z][A-Z0-9_]+", tok):
                if before == "|":
                    yield self.replaced("flag", [(i - 1, i, "")], first, last)
                elif after == "|":
                    yield self.replaced("flag", [(i, i + 1, "")], first, last)

    def locks(self):
        """Take away both ends of what one lock protects in this function."""
        calls = collections.defaultdict(list)
        for i, (tok, _) in enumerate(self.toks[:-1]):
            if self.is_lock(i) and i + 1 in self.pair:
                close = self.pair[i + 1]
                arg = squeeze(self.source(i + 1, close)).split(",")[0]
                kind = next(k for k, v in LOCKS.items() if tok in (k, v))
                calls[kind, arg.strip("()")].append((i, close))
        for (kind, arg), places in calls.items():
            if len(places) < 2:
                continue
            m = self.replaced("lock", [(lo, hi, "(void)0") for lo, hi in places],
                              0, len(self.toks) - 1)
            yield m._replace(old=f"{kind}({arg})", new="")


def functions(path):
    with open(path, encoding="ascii") as f:
        text = f.read()
    tokens = scan(text)
    depth, name, first = 0, None, None
    for i, (tok, at) in enumerate(tokens):
        if tok == "{":
            # style(9): the brace of a function stands alone in the first column
            if depth == 0 and (at == 0 or text[at - 1] == "\n"):
                name = re.findall(r"^(\w+)\(", text[:at], re.M)[-1]
                first = i
            depth += 1
        elif tok == "}":
            depth -= 1
            if depth == 0 and name is not None:
                yield Function(path, text, name, tokens[first:i + 1])
                name = None


def generate(paths):
    """Every mutant of the files, by the line that names it."""
    found = {}
    for path in paths:
        for function in functions(path):
            for m in function.mutants():
                line = f"{m.function}: {m.operator}: {m.old}"
                if m.new not in ("", ";"):
                    line += f" -> {m.new}"
                n, key = 1, line
                while key in found:
                    n += 1
                    key = f"{line} (#{n})"
                found[key] = m
    return found


class Program:
    """A program of the build, and how it is made with another object in it."""

    def __init__(self, build, name, args, gtest):
        self.build, self.name, self.args, self.gtest = build, name, args, gtest
        done = subprocess.run(["ninja", "-t", "commands", name], cwd=build,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Error(f"{build}: no program {name}: {done.stderr.strip()}")
        *self.compiles, self.link = done.stdout.splitlines()
        self.output = re.search(r" -o (\S+)", self.link)[1]
        self.lock = threading.Lock()
        self.runs = [args]
        self.limit = 3600.0
        self.limit = 5 + 10 * self.baseline()

    def baseline(self):
        """Seconds that the longest run takes of what nobody changed."""
        program = os.path.join(self.build, self.output)
        if self.gtest:
            done = subprocess.run([program, "--gtest_list_tests"],
                                  capture_output=True, text=True, check=False)
            self.runs, suite = [], ""
            for line in done.stdout.splitlines():
                if line.startswith("  "):
                    self.runs.append(["--gtest_filter=" + suite + line.split()[0]])
                else:
                    suite = line.split()[0]
        longest = 0.0
        for args in self.runs:
            start = time.monotonic()
            if self.fails(program, args):
                raise Error(f"{self.name} {' '.join(args)}: fails before "
                            "anything is changed")
            longest = max(longest, time.monotonic() - start)
        return longest

    def make(self, path, source, directory):
        """Compile source in place of path and link.  None if it is no C."""
        path = os.path.realpath(path)
        program = os.path.join(directory, self.name)
        obj = program + ".o"
        for command in self.compiles:
            words = shlex.split(command)
            if "-c" in words and os.path.realpath(os.path.join(
                    self.build, words[words.index("-c") + 1])) == path:
                break
        else:
            return ""  # this program does not have the file
        old = words[words.index("-o") + 1]
        words[words.index("-o") + 1] = obj
        words[words.index("-c") + 1] = source
        if "-MF" in words:
            words[words.index("-MF") + 1] = obj + ".d"
        words = [w for w in words if w != "-Werror" and
                 os.path.basename(w) != "ccache"]
        if subprocess.run(words + ["-w"], cwd=self.build, capture_output=True,
                          check=False).returncode != 0:
            return None
        link = self.link.replace(f" {old} ", f" {obj} ")
        link = link.replace(f" -o {self.output} ", f" -o {program} ")
        if subprocess.run(link, shell=True, cwd=self.build, capture_output=True,
                          check=False).returncode != 0:
            return None
        return program

    def fails(self, program, args):
        env = dict(os.environ,
                   ASAN_OPTIONS="symbolize=0:hard_rss_limit_mb=2000:"
                                "detect_leaks=0",
                   UBSAN_OPTIONS="symbolize=0",
                   TSAN_OPTIONS="symbolize=0:halt_on_error=1")
        with subprocess.Popen([program] + args, env=env,
                              cwd=os.path.dirname(program),
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL,
                              start_new_session=True) as p:
            try:
                return p.wait(self.limit) != 0
            except subprocess.TimeoutExpired:
                return True
            finally:
                try:
                    os.killpg(p.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

    def kills(self, program):
        with self.lock:
            runs = list(self.runs)
        for args in runs:
            if self.fails(program, args):
                # Who killed one is likely to kill the next.
                with self.lock:
                    self.runs.remove(args)
                    self.runs.insert(0, args)
                return self.name + "".join(
                    " " + a.removeprefix("--gtest_filter=") for a in args
                    if self.gtest)
        return None


def outcome(mutant, programs):
    """Who killed it; `no C', or None."""
    with tempfile.TemporaryDirectory(prefix="mutant.") as directory:
        source = os.path.join(directory, os.path.basename(mutant.path))
        with open(source, "w", encoding="ascii") as f:
            f.write(mutant.text)
        for p in programs:
            program = p.make(mutant.path, source, directory)
            if program is None:
                return "no C"
            if program and (killer := p.kills(program)) is not None:
                return killer
            if program:
                os.unlink(program)
    return None


def read_allowed(path):
    allowed, last = {}, None
    if path is None:
        return allowed
    with open(path, encoding="ascii") as f:
        for n, line in enumerate(f, 1):
            if line.startswith("#") or not line.strip():
                continue
            if line[0].isspace():
                if last is None:
                    raise Error(f"{path}:{n}: a reason of no mutant")
                allowed[last] += line
            else:
                last = line.rstrip("\n")
                allowed[last] = ""
    for line, reason in allowed.items():
        if not reason:
            raise Error(f"{path}: no reason is given for `{line}'")
    return allowed


def report(chosen, results, allowed, verbose):
    """Print the account of each function.  Returns the survivors."""
    counts = collections.defaultdict(collections.Counter)
    survivors = []
    for line in chosen:
        killer = results[line]
        what = ("nocompile" if killer == "no C" else
                "killed" if killer is not None else
                "allowed" if line in allowed else "survived")
        counts[line.split(":")[0]][what] += 1
        if what == "survived":
            survivors.append(line)
        if verbose:
            print(f"{what}: {line}" + (f" [{killer}]" if killer else ""))
    total = collections.Counter()
    for function, count in sorted(counts.items()):
        print(f"{function}: {count['killed']} killed, {count['survived']} "
              f"survived, {count['allowed']} allowed")
        total.update(count)
    for line in survivors:
        print(f"survived: {line}")
    print(f"{total['killed'] + total['survived'] + total['allowed']} mutants: "
          f"{total['killed']} killed, {total['survived']} survived, "
          f"{total['allowed']} allowed; {total['nocompile']} did not compile")
    return survivors


def run(args):
    mutants = generate(args.files)
    allowed = read_allowed(args.allowed)
    stale = [line for line in allowed if line not in mutants]
    for line in stale:
        print(f"{args.allowed}: there is no mutant `{line}'")
    names = [n for n in mutants
             if args.only is None or re.search(args.only, n)]
    if args.list:
        print("\n".join(names))
        return 1 if stale else 0
    # Not shuffled: what a seed selects must outlast changes of the files.
    names.sort(key=lambda n: hashlib.sha256(f"{args.seed} {n}".encode())
               .digest())
    print(f"seed {args.seed}: {'all' if args.all else args.count} of "
          f"{len(names)} mutants", flush=True)

    programs = [Program(args.build, name, rest, kind == "gtest")
                for kind, (name, *rest) in args.programs]
    chosen, results, compiled = [], {}, 0
    want = len(names) if args.all else args.count
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        at = 0
        while at < len(names) and compiled < want:
            batch = names[at:at + want - compiled]
            at += len(batch)
            for line, killer in zip(batch, pool.map(
                    lambda n: outcome(mutants[n], programs), batch)):
                chosen.append(line)
                results[line] = killer
                compiled += killer != "no C"
    survivors = report(chosen, results, allowed, args.verbose)
    return 1 if survivors or stale else 0


class AddProgram(argparse.Action):
    def __call__(self, parser, namespace, values, option=None):
        namespace.programs.append((option.lstrip("-"), shlex.split(values)))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True,
                        help="a build directory of ninja's")
    parser.set_defaults(programs=[])
    parser.add_argument("--gtest", action=AddProgram, metavar="NAME",
                        help="a program whose tests run one by one")
    parser.add_argument("--run", action=AddProgram, metavar="NAME ARGS",
                        help="a program that runs as a whole")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=120,
                        help="mutants that compile to try (%(default)s)")
    parser.add_argument("--all", action="store_true", help="try every one")
    parser.add_argument("--only", metavar="REGEX",
                        help="of the mutants whose lines match")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--allowed", metavar="FILE")
    parser.add_argument("--list", action="store_true",
                        help="print the lines of all mutants")
    parser.add_argument("--verbose", action="store_true",
                        help="print who killed which")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    args.build = os.path.abspath(args.build)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        return run(args)
    except (Error, OSError) as e:
        print(f"mutants.py: {e}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
