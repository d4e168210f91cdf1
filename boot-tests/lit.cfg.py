# SPDX-License-Identifier: BSD-3-Clause
import os
import shutil
import subprocess
import sys
import lit.formats

config.name = "boot"
config.test_format = lit.formats.ShTest(True)
config.suffixes = [".test"]
config.test_source_root = os.path.dirname(__file__)
# The directories of suites other than the fast one, see CMakeLists.txt.
SUITES = {"long": {"levels", "onepage", "sweep"}, "rate": {"rate"}}
tests = {d.name for d in os.scandir(config.test_source_root) if d.is_dir()}
suite = lit_config.params.get("suite")
config.excludes = sorted(
    {"benchmark", "programs"} |
    (tests - SUITES[suite] if suite else set().union(*SUITES.values())))
config.test_exec_root = os.path.join(config.kmobj_build, "boot-tests")

build = config.kmobj_build
config.environment["KMOBJ_BUILD"] = build
# What every boot leaves for the test `lastpages'.
logs = os.path.join(config.test_exec_root, "logs" + (f"-{suite}" if suite else ""))
shutil.rmtree(logs, ignore_errors=True)
os.makedirs(logs)
config.environment["KMOBJ_LOGS"] = logs
config.environment["PATH"] = os.pathsep.join(
    ["/usr/lib/llvm-19/bin", os.environ["PATH"]])
config.substitutions += [
    ("%run", os.path.join(config.test_source_root, "run")),
    ("%kernels", os.path.join(build, "kernels")),
    ("%build", build),
    ("%dragonfly", os.path.join(build, "dragonfly")),
    ("%trees", os.path.join(build, "trees")),
    ("%kmobj", os.path.join(build, "bin", "kmobj")),
    ("%procs", os.path.join(build, "procs.cpio")),
    ("%lastpages", os.path.join(config.test_source_root, "lastpages")),
    ("%memory", os.path.join(config.test_source_root, "memory")),
    ("%pulse", os.path.join(config.test_source_root, "pulse")),
    ("%python", sys.executable),
    ("%FileCheck", "FileCheck --enable-var-scope --dump-input-filter=error"),
]

# A container may not let us.
if subprocess.run(["unshare", "-rm", "true"], stderr=subprocess.DEVNULL
                  ).returncode == 0:
    config.available_features.add("mount")

# A DragonFly kernel is not ours to build; whoever has one names it.
kernel = os.environ.get("KMOBJ_DFLY_KERNEL")
if kernel:
    config.available_features.add("dragonfly-kernel")
    config.substitutions.insert(0, ("%{dragonfly-kernel}", kernel))
