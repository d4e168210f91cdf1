# SPDX-License-Identifier: BSD-3-Clause
import os
import sys
import lit.formats

config.name = "boot"
config.test_format = lit.formats.ShTest(True)
config.suffixes = [".test"]
config.excludes = ["programs"]
# One free page and the sweep are the long run, see CMakeLists.txt.
if lit_config.params.get("suite") == "onepage":
    config.excludes += ["corner", "input", "paging", "startup"]
else:
    config.excludes += ["onepage", "sweep"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.kmobj_build, "boot-tests")

build = config.kmobj_build
config.environment["KMOBJ_BUILD"] = build
config.environment["PATH"] = os.pathsep.join(
    ["/usr/lib/llvm-19/bin", os.environ["PATH"]])
config.substitutions += [
    ("%run", os.path.join(config.test_source_root, "run")),
    ("%kernels", os.path.join(build, "kernels")),
    ("%trees", os.path.join(build, "trees")),
    ("%kmobj", os.path.join(build, "bin", "kmobj")),
    ("%python", sys.executable),
    ("%FileCheck", "FileCheck --enable-var-scope --dump-input-filter=error"),
]
