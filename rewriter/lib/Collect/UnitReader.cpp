/* SPDX-License-Identifier: BSD-3-Clause */
//===- UnitReader.cpp - What a unit says, parsed or known -----------------===//

#include "UnitReader.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace kmobj;
using llvm::StringRef;
namespace json = llvm::json;

std::string UnitDiagnostic::str() const {
  const std::string Place = File.empty()
                                ? ""
                                : File + ":" + std::to_string(Line) + ":" +
                                      std::to_string(Column) + ": ";
  return Place + (IsError ? "error: " : "warning: ") + Message;
}

std::string UnitReader::key(StringRef What, const UnitText &U) const {
  KeyHasher Key;
  Key << Known->version() << What << Store.tree() << U.Command.Directory
      << U.Command.Filename << U.Reach.Contents;
  for (const std::string &Argument : U.Command.CommandLine)
    Key << Argument;
  // Where clang looks for headers, too.
  for (StringRef Variable : {"CPATH", "C_INCLUDE_PATH", "CCC_OVERRIDE_OPTIONS"})
    Key << llvm::sys::Process::GetEnv(Variable).value_or("");
  if (What == "facts") {
    for (const FileIndex *F : U.Reach.Files)
      Key << (Index.isPlain(F->Name) ? "plain" : "");
    for (const std::string &Name : Index.sizeNames())
      Key << Name;
  }
  return Key.key();
}

static std::string compact(json::Value V) {
  std::string Text;
  llvm::raw_string_ostream(Text) << V;
  return Text;
}

static json::Value asJSON(const UnitDiagnostics &All) {
  json::Array Out;
  for (const UnitDiagnostic &D : All)
    Out.push_back(json::Array{json::fixUTF8(D.File), D.Line, D.Column,
                              D.IsError, json::fixUTF8(D.Message),
                              json::fixUTF8(D.Note)});
  return Out;
}

static bool areUTF8(const UnitDiagnostics &All) {
  return llvm::all_of(All, [](const UnitDiagnostic &D) {
    return json::isUTF8(D.File) && json::isUTF8(D.Message) &&
           json::isUTF8(D.Note);
  });
}

static std::optional<UnitDiagnostics> readDiagnostics(StringRef Text) {
  llvm::Expected<json::Value> V = json::parse(Text);
  if (!V) {
    llvm::consumeError(V.takeError());
    return std::nullopt;
  }
  UnitDiagnostics All;
  const json::Array *List = V->getAsArray();
  if (!List)
    return std::nullopt;
  for (const json::Value &Element : *List) {
    const json::Array *A = Element.getAsArray();
    if (!A || A->size() != 6)
      return std::nullopt;
    auto String = [&](size_t I) {
      return (*A)[I].getAsString().value_or("").str();
    };
    auto Number = [&](size_t I) {
      return static_cast<unsigned>((*A)[I].getAsInteger().value_or(0));
    };
    All.push_back({String(0), Number(1), Number(2),
                   (*A)[3].getAsBoolean().value_or(false), String(4),
                   String(5)});
  }
  return All;
}

/// Nothing where a text in it is not UTF-8.
static std::optional<std::string> writeUnit(const UnitFacts &U) {
  std::optional<json::Value> Found = toExactJSON(U.Found);
  if (!Found || !json::isUTF8(U.FirstError))
    return std::nullopt;
  json::Object Read, Dropped;
  for (const auto &[File, Times] : U.Read) {
    json::Array All;
    for (const SkippedRanges &Ranges : Times) {
      json::Array Flat;
      for (auto [Begin, End] : Ranges) {
        Flat.push_back(Begin);
        Flat.push_back(End);
      }
      All.push_back(std::move(Flat));
    }
    Read[File] = std::move(All);
  }
  for (const auto &[File, Offsets] : U.Dropped)
    Dropped[File] = json::Array(Offsets);
  return compact(json::Object{{"facts", std::move(*Found)},
                              {"error", U.FirstError},
                              {"read", std::move(Read)},
                              {"dropped", std::move(Dropped)}});
}

static std::optional<UnitFacts> readUnit(StringRef Text) {
  llvm::Expected<json::Value> V = json::parse(Text);
  if (!V) {
    llvm::consumeError(V.takeError());
    return std::nullopt;
  }
  UnitFacts U;
  json::Path::Root Root;
  const json::Object *O = V->getAsObject();
  if (!O || !O->get("facts") || !O->getObject("read") ||
      !O->getObject("dropped") || !fromJSON(*O->get("facts"), U.Found, Root)) {
    llvm::consumeError(Root.getError());
    return std::nullopt;
  }
  U.FirstError = O->getString("error").value_or("").str();
  auto Offset = [](const json::Value &N) {
    return static_cast<uint32_t>(N.getAsInteger().value_or(0));
  };
  for (const auto &[File, Times] : *O->getObject("read")) {
    auto &Into = U.Read[File.str()];
    for (const json::Value &Flat : *Times.getAsArray()) {
      SkippedRanges Ranges;
      const json::Array &A = *Flat.getAsArray();
      for (size_t I = 0; I + 1 < A.size(); I += 2)
        Ranges.push_back({Offset(A[I]), Offset(A[I + 1])});
      Into.insert(std::move(Ranges));
    }
  }
  for (const auto &[File, Offsets] : *O->getObject("dropped"))
    for (const json::Value &N : *Offsets.getAsArray())
      U.Dropped[File.str()].insert(Offset(N));
  return U;
}

UnitFacts UnitReader::parse(const UnitText &U, FileSystem FS) {
  UnitFacts Found = collectUnit(U.Command, Store, Index, std::move(FS));
  if (!Known || !U.Reach.Complete || !Found.Sealed)
    return Found;
  if (std::optional<std::string> Text = writeUnit(Found))
    Known->put(key("facts", U), *Text);
  if (areUTF8(Found.Diagnostics))
    Known->put(key("diagnostics", U), compact(asJSON(Found.Diagnostics)));
  return Found;
}

UnitFacts UnitReader::facts(const UnitText &U, FileSystem FS) {
  if (Known && U.Reach.Complete)
    if (std::optional<std::string> Text = Known->get(key("facts", U)))
      if (std::optional<UnitFacts> Found = readUnit(*Text))
        return std::move(*Found);
  return parse(U, std::move(FS));
}

UnitDiagnostics UnitReader::diagnostics(const UnitText &U, FileSystem FS) {
  if (Known && U.Reach.Complete)
    if (std::optional<std::string> Text = Known->get(key("diagnostics", U)))
      if (std::optional<UnitDiagnostics> Found = readDiagnostics(*Text))
        return std::move(*Found);
  return parse(U, std::move(FS)).Diagnostics;
}
