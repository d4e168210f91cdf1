# SPDX-License-Identifier: BSD-3-Clause
"""documents.py BUILD STANDIN SCRATCH FILE...

Does what FILEs say of booting: each command line of boot-tests/run and
scripts/soak, and each piece of one, `--option ...' or `name=value ...', that
stands in a code block or between backquotes.  What is said of a kernel that is
not here is done with STANDIN, a stand-in for a DragonFly kernel: it passes
whatever test is asked for, so it is the words that are tried.  So is a soak's
command line, with a QEMU that is none.
"""

import os
import re
import shlex
import subprocess
import sys

BUILD, STANDIN, SCRATCH, *FILES = sys.argv[1:]
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
WORDS = r"[a-z_.]+=\S+(?: [a-z_.]+=\S+)*"


def quoted(path):
    """Code blocks' lines, and what stands between backquotes in paragraphs."""
    with open(path) as f:
        text = f.read()
    fence = re.compile(r"^```\n(.*?)^```$", re.M | re.S)
    blocks = fence.findall(text)
    text = fence.sub("", text)
    blocks += re.findall(r"^    .*$", text, re.M)
    text = re.sub(r"^    .*$", "", text, flags=re.M)
    for block in blocks:
        yield from map(str.strip, block.splitlines())
    for span in re.findall(r"`([^`]+)`", text):
        yield " ".join(span.split())


def command(text):
    """-> arguments, or None if this is not about booting."""
    if re.fullmatch(WORDS, text) and text != "name=value":
        return ["boot-tests/run", "--kernel", STANDIN, "--append", text]
    if re.match(r"--(append|ram) ", text) and "..." not in text:
        return ["boot-tests/run", "--kernel", STANDIN, *shlex.split(text)]
    if re.match(r"(boot-tests/run|scripts/soak) ", text):
        return shlex.split(text, comments=True)
    return None


def do(arguments):
    env = {**os.environ, "KMOBJ_BUILD": BUILD}
    if arguments[0] == "scripts/soak":
        steps = os.path.join(SCRATCH, "steps")
        with open(steps, "w") as f:
            f.write("start\nsay KMOBJ: PASS soak\\n\nexit 85")
        env.update(FAKE_STEPS=steps, PATH=os.path.join(HERE, "fake") + ":" +
                   env["PATH"])
    elif "--kernel" in arguments:
        at = arguments.index("--kernel") + 1
        if arguments[at].startswith("build/"):
            arguments[at] = BUILD + arguments[at].removeprefix("build")
        else:
            arguments[at] = STANDIN
    return subprocess.run(arguments, cwd=ROOT, env=env, text=True,
                          errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)


def main():
    os.makedirs(SCRATCH, exist_ok=True)
    done = wrong = 0
    for path in FILES:
        for text in dict.fromkeys(quoted(path)):
            arguments = command(text)
            if not arguments:
                continue
            result = do(arguments)
            done += 1
            wrong += result.returncode != 0
            print(f"{os.path.basename(path)}: {text}: {result.returncode}",
                  flush=True)
            if result.returncode != 0:
                print(result.stdout[-1000:])
    print(f"{done} lines, {wrong} do not work")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
