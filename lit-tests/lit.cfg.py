# SPDX-License-Identifier: BSD-3-Clause
#
# Configuration of the rewriter's tests.  ctest reaches it through
# lit.site.cfg.py in the build directory; by hand:
#
#	lit.py -v lit-tests --param kmobj=/path/to/kmobj

import hashlib
import os
import shutil
import tempfile

import lit.formats

config.name = "kmobj"
config.suffixes = [".test"]
config.excludes = ["Inputs", "tools"]
config.test_source_root = os.path.dirname(os.path.abspath(__file__))
if not getattr(config, "test_exec_root", None):
    # Of its own for each rewriter: two may be tested at the same time.
    which = os.path.abspath(lit_config.params.get("kmobj", ""))
    config.test_exec_root = os.path.join(
        tempfile.gettempdir(), "kmobj-lit-%d-%s"
        % (os.getuid(), hashlib.sha256(which.encode()).hexdigest()[:8]))
config.test_format = lit.formats.ShTest()

llvm_bin = lit_config.params.get(
    "llvm_bin", getattr(config, "llvm_bin", "/usr/lib/llvm-19/bin"))
kmobj = lit_config.params.get("kmobj", getattr(config, "kmobj", ""))
shims = lit_config.params.get("shims", getattr(
    config, "shims", os.path.join(config.test_source_root, "..", "shims")))

if not os.access(kmobj, os.X_OK):
    lit_config.fatal("no rewriter at '%s': give --param kmobj=PATH" % kmobj)
kmobj = os.path.abspath(kmobj)
shims = os.path.abspath(shims)
for tool in ("FileCheck", "split-file", "not", "clang"):
    if not os.access(os.path.join(llvm_bin, tool), os.X_OK):
        lit_config.fatal("no %s in %s: give --param llvm_bin=DIR"
                         % (tool, llvm_bin))

config.environment["PATH"] = os.pathsep.join(
    [llvm_bin, config.environment["PATH"]])
config.environment["LC_ALL"] = "C"
# What git says in a test must not depend on who runs it.
config.environment["GIT_CONFIG_GLOBAL"] = os.devnull
config.environment["GIT_CONFIG_NOSYSTEM"] = "1"
for who in ("AUTHOR", "COMMITTER"):
    config.environment["GIT_%s_NAME" % who] = "A Committer"
    config.environment["GIT_%s_EMAIL" % who] = "committer@example.org"

python = '"%s"' % config.environment.get("PYTHON", shutil.which("python3"))
tools = os.path.join(config.test_source_root, "tools")


def helper(name):
    return '%s "%s"' % (python, os.path.join(tools, name + ".py"))


rewrite = '"%s" rewrite -p %%t --tree %%t/sys' % kmobj
# A diff without the old allocators' headers and the files that go: they say
# nothing about a zone.
kept = ("awk '/^diff /{gone = /(vm_zone|objcache).h$/}"
        " /^deleted file/{gone = 1} !gone'")
parsed = '%s %%t %%t/out "%s"' % (helper("parses"), shims)
config.substitutions += [
    # The tree: the test's own files over the common ones, and a compile
    # database for every C file in it.
    ("%{tree}", 'rm -rf %%t && split-file %%s %%t && %s %%t'
     % helper("maketree")),
    ("%{compdb}", helper("compdb")),
    # %{exits} N command: passes if the command exits with N, no other code.
    ("%{exits}", helper("exits")),
    # The tool; the diff of a conversion without the shims; its changed lines.
    ("%{kmobj}", '"%s"' % kmobj),
    ("%{tool}", kmobj),
    ("%{rewrite}", rewrite),
    ("%{diff}", rewrite + " --no-install --diff"),
    ("%{changes}", rewrite + " --no-install --diff | %s | grep -a \"^[-+]\""
     % kept),
    ("%{kept}", kept),
    # The converted tree %t/out still parses without a new diagnostic;
    # %{parses} makes it first, and nothing may be refused in it.
    ("%{outtree}", rewrite + " --no-install --output-tree %%t/out > %%t/log"),
    ("%{parsed}", parsed),
    ("%{parses}", rewrite + " --no-install --output-tree %%t/out > %%t/log && "
     + parsed),
    ("%{shims}", shims),
    ("%{python}", python),
    ("%{tools}", tools),
]
config.substitutions = [(a, b.replace("%%", "%"))
                        for a, b in config.substitutions]
