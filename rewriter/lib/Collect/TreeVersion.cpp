/* SPDX-License-Identifier: BSD-3-Clause */
#include "TreeVersionParts.h"

using namespace kmobj;

TreeVersion::TreeVersion(std::string Tree, View See, Cache *Known)
    : P(std::make_unique<Parts>(std::move(Tree), std::move(See), Known)) {}

TreeVersion::~TreeVersion() = default;

const UnitText &
TreeVersion::unit(const clang::tooling::CompileCommand &Command) {
  P->Units.push_back({Command, P->Index.reach(Command)});
  return P->Units.back();
}

UnitDiagnostics TreeVersion::diagnostics(const UnitText &Unit) {
  UnitReader::FileSystem Own = P->See();
  Own->setCurrentWorkingDirectory(Unit.Command.Directory);
  return P->Reader.diagnostics(Unit, std::move(Own));
}

bool TreeVersion::has(llvm::StringRef File) { return P->FS->exists(File); }

std::string TreeVersion::name(llvm::StringRef File) {
  return P->Store.name(File);
}
