/* SPDX-License-Identifier: BSD-3-Clause */
//===- FactsJSON.cpp - Facts to JSON and back -----------------------------===//
//
// Each structure lists its fields once, in describe(); a Writer and a Reader
// walk that list. False, 0 and what is empty are not written (and are what a
// reader takes a missing field for); names of an enumeration always are.
//
//===----------------------------------------------------------------------===//

#include "kmobj/Facts.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <type_traits>

using namespace kmobj;
namespace json = llvm::json;

namespace {

/// Names of an enumeration's values, in order.
template <class E> struct Names;

#define ENUM_NAMES(E, ...)                                                     \
  template <> struct Names<E> {                                                \
    static llvm::ArrayRef<const char *> get() {                                \
      static const char *const Table[] = {__VA_ARGS__};                        \
      return Table;                                                            \
    }                                                                          \
  };

ENUM_NAMES(Provenance::KindTy, "plain", "argument", "body", "pasted")
ENUM_NAMES(Unit::StateTy, "parsed", "skipped", "failed")
ENUM_NAMES(Statement::ContextTy, "in-block", "at-label", "is-body", "unknown")
ENUM_NAMES(VarKind, "zone", "zone-store", "cache", "cache-args", "items",
           "malloc-type", "plain")
ENUM_NAMES(VarScope, "file", "field", "local", "static-local", "parameter")
ENUM_NAMES(NullCheck::KindTy, "dead", "guard", "other")
ENUM_NAMES(Role, "site-zone", "site-argument", "create-target", "store-assign",
           "flags-or", "alloc-target", "null-test", "null-assign", "member",
           "type-use", "init", "carried", "carrier-set", "size-of",
           "member-read", "limit-raise", "set", "look", "escape")
ENUM_NAMES(Mention::KindTy, "function", "type", "flag", "variable")
ENUM_NAMES(Mention::StateTy, "understood", "other-name", "api-itself",
           "inactive", "dropped", "unexpanded", "not-in-database",
           "did-not-parse", "skipped")

template <class A, class T> void describe(A &Ar, T &X);

/// Was a text written that JSON cannot hold?
thread_local bool Mended;

class Writer {
public:
  json::Object Object;

  template <class T> void operator()(llvm::StringLiteral Key, const T &V) {
    if (std::optional<json::Value> J = value(V))
      Object[Key] = std::move(*J);
  }

  template <class T> static json::Object object(const T &X) {
    Writer W;
    describe(W, X);
    return std::move(W.Object);
  }

private:
  static std::optional<json::Value> value(const std::string &S) {
    if (S.empty())
      return std::nullopt;
    const bool Good = json::isUTF8(S);
    Mended |= !Good;
    return json::Value(Good ? S : json::fixUTF8(S));
  }
  static std::optional<json::Value> value(bool B) {
    if (!B)
      return std::nullopt;
    return json::Value(true);
  }
  template <class T> static std::optional<json::Value> value(const T &V) {
    if constexpr (std::is_enum_v<T>) {
      return json::Value(Names<T>::get()[static_cast<unsigned>(V)]);
    } else if constexpr (std::is_integral_v<T>) {
      if (V == 0)
        return std::nullopt;
      return json::Value(static_cast<int64_t>(V));
    } else {
      json::Object O = object(V);
      if (O.empty())
        return std::nullopt;
      return json::Value(std::move(O));
    }
  }
  static std::optional<json::Value> value(const Api &A) {
    return json::Value(apiName(A));
  }
  template <class T>
  static std::optional<json::Value> value(const std::optional<T> &V) {
    if (!V)
      return std::nullopt;
    if constexpr (std::is_integral_v<T>)
      return json::Value(*V);
    else
      return json::Value(object(*V));
  }
  template <class T>
  static std::optional<json::Value> value(const std::vector<T> &V) {
    if (V.empty())
      return std::nullopt;
    json::Array Elements;
    for (const T &X : V)
      if (std::optional<json::Value> J = value(X))
        Elements.push_back(std::move(*J));
      else if constexpr (std::is_same_v<T, std::string>)
        Elements.push_back("");
      else
        Elements.push_back(json::Object());
    return json::Value(std::move(Elements));
  }
};

class Reader {
public:
  Reader(const json::Object &O, json::Path P) : Object(O), P(P) {}
  bool Good = true;

  template <class T> void operator()(llvm::StringLiteral Key, T &V) {
    if (const json::Value *J = Object.get(Key))
      Good = Good && read(*J, V, P.field(Key));
  }

  template <class T>
  static bool object(const json::Value &J, T &V, json::Path P) {
    const json::Object *O = J.getAsObject();
    if (!O) {
      P.report("expected an object");
      return false;
    }
    Reader R(*O, P);
    describe(R, V);
    return R.Good;
  }

private:
  const json::Object &Object;
  json::Path P;

  static bool read(const json::Value &J, std::string &V, json::Path P) {
    return json::fromJSON(J, V, P);
  }
  static bool read(const json::Value &J, bool &V, json::Path P) {
    return json::fromJSON(J, V, P);
  }
  template <class T>
  static bool read(const json::Value &J, T &V, json::Path P) {
    if constexpr (std::is_enum_v<T>) {
      std::optional<llvm::StringRef> S = J.getAsString();
      auto Table = Names<T>::get();
      for (unsigned I = 0; S && I < Table.size(); ++I)
        if (*S == Table[I]) {
          V = static_cast<T>(I);
          return true;
        }
      P.report("unknown name");
      return false;
    } else if constexpr (std::is_integral_v<T>) {
      std::optional<int64_t> N = J.getAsInteger();
      if (!N || (std::is_unsigned_v<T> && *N < 0)) {
        P.report("expected a number");
        return false;
      }
      V = static_cast<T>(*N);
      return true;
    } else {
      return object(J, V, P);
    }
  }
  static bool read(const json::Value &J, Api &V, json::Path P) {
    std::optional<Api> A;
    if (std::optional<llvm::StringRef> S = J.getAsString())
      A = apiByName(*S);
    if (!A) {
      P.report("unknown function");
      return false;
    }
    V = *A;
    return true;
  }
  template <class T>
  static bool read(const json::Value &J, std::optional<T> &V, json::Path P) {
    return read(J, V.emplace(), P);
  }
  template <class T>
  static bool read(const json::Value &J, std::vector<T> &V, json::Path P) {
    const json::Array *Elements = J.getAsArray();
    if (!Elements) {
      P.report("expected an array");
      return false;
    }
    V.resize(Elements->size());
    for (size_t I = 0; I < V.size(); ++I)
      if (!read((*Elements)[I], V[I], P.index(I)))
        return false;
    return true;
  }
};

template <class T, class U>
constexpr bool is = std::is_same_v<std::remove_const_t<T>, U>;

template <class A, class T> void describe(A &Ar, T &X) {
  if constexpr (is<T, Span>) {
    Ar("file", X.File);
    Ar("begin", X.Begin);
    Ar("end", X.End);
    Ar("line", X.Line);
    Ar("column", X.Column);
  } else if constexpr (is<T, Provenance>) {
    Ar("kind", X.Kind);
    Ar("macro", X.Macro);
    Ar("definition", X.Definition);
    Ar("expansions", X.Expansions);
  } else if constexpr (is<T, Include>) {
    Ar("name", X.Name);
    Ar("angled", X.Angled);
    Ar("resolved", X.Resolved);
    Ar("at", X.Line);
    Ar("conditional", X.Conditional);
  } else if constexpr (is<T, SourceFile>) {
    Ar("path", X.Path);
    Ar("hash", X.Hash);
    Ar("parsed", X.Parsed);
    Ar("includes", X.Includes);
    Ar("directives", X.Directives);
  } else if constexpr (is<T, Directive>) {
    Ar("keyword", X.Keyword);
    Ar("text", X.Text);
  } else if constexpr (is<T, Evaluation>) {
    Ar("text", X.Text);
    Ar("configuration", X.Configuration);
    Ar("unit", X.Unit);
  } else if constexpr (is<T, Statement>) {
    Ar("text", X.Text);
    Ar("context", X.Context);
    Ar("after", X.After);
  } else if constexpr (is<T, Unit>) {
    Ar("path", X.Path);
    Ar("state", X.State);
    Ar("firstError", X.FirstError);
    Ar("reads", X.Reads);
  } else if constexpr (is<T, Declaration>) {
    Ar("statement", X.Statement);
    Ar("declarator", X.Declarator);
    Ar("name", X.Name);
    Ar("type", X.Type);
    Ar("declarators", X.Declarators);
    Ar("index", X.Index);
    Ar("static", X.Static);
    Ar("extern", X.Extern);
    Ar("definition", X.Definition);
    Ar("attributes", X.Attributes);
    Ar("function", X.Function);
    Ar("init", X.Init);
    Ar("initText", X.InitText);
    Ar("initNull", X.InitNull);
    Ar("initStore", X.InitStore);
    Ar("inBody", X.InBody);
    Ar("bodyMacro", X.BodyMacro);
    Ar("from", X.From);
  } else if constexpr (is<T, ArgsMember>) {
    Ar("member", X.Member);
    Ar("text", X.Text);
    Ar("spelling", X.Spelling);
    Ar("value", X.Value);
    Ar("values", X.Values);
    Ar("var", X.Var);
    Ar("statement", X.Statement);
  } else if constexpr (is<T, Variable>) {
    Ar("key", X.Key);
    Ar("name", X.Name);
    Ar("kind", X.Kind);
    Ar("scope", X.Scope);
    Ar("type", X.Type);
    Ar("elementType", X.ElementType);
    Ar("array", X.IsArray);
    Ar("pointer", X.IsPointer);
    Ar("count", X.Count);
    Ar("countText", X.CountText);
    Ar("external", X.External);
    Ar("record", X.Record);
    Ar("declarations", X.Declarations);
    Ar("members", X.Members);
    Ar("membersComplete", X.MembersComplete);
  } else if constexpr (is<T, MallocDefine>) {
    Ar("key", X.Key);
    Ar("name", X.Name);
    Ar("macro", X.Macro);
    Ar("statement", X.Statement);
    Ar("call", X.Call);
    Ar("args", X.Args);
    Ar("argTexts", X.ArgTexts);
    Ar("static", X.Static);
    Ar("inBody", X.InBody);
    Ar("bodyArgs", X.BodyArgs);
    Ar("from", X.From);
  } else if constexpr (is<T, Argument>) {
    Ar("text", X.Text);
    Ar("spelling", X.Spelling);
    Ar("value", X.Value);
    Ar("values", X.Values);
    Ar("null", X.IsNull);
    Ar("isString", X.IsString);
    Ar("string", X.String);
    Ar("var", X.Var);
    Ar("varName", X.VarName);
    Ar("overwrites", X.Overwrites);
    Ar("addressOf", X.AddressOf);
    Ar("sizeof", X.SizeOf);
    Ar("variables", X.Variables);
    Ar("sideEffects", X.SideEffects);
  } else if constexpr (is<T, NullCheck>) {
    Ar("kind", X.Kind);
    Ar("statement", X.Statement);
    Ar("condition", X.Condition);
    Ar("test", X.Test);
    Ar("body", X.Body);
    Ar("onlyTest", X.OnlyTest);
    Ar("onlyStatement", X.OnlyStatement);
    Ar("hasElse", X.HasElse);
    Ar("label", X.Label);
  } else if constexpr (is<T, RetryLoop>) {
    Ar("statement", X.Statement);
    Ar("limit", X.Limit);
    Ar("understood", X.Understood);
    Ar("later", X.Later);
    Ar("ifChanged", X.IfChanged);
  } else if constexpr (is<T, Destination>) {
    Ar("name", X.Name);
    Ar("type", X.Type);
    Ar("declares", X.Declares);
  } else if constexpr (is<T, Site>) {
    Ar("function", X.Function);
    Ar("name", X.Name);
    Ar("call", X.Call);
    Ar("args", X.Args);
    Ar("zone", X.Zone);
    Ar("zoneText", X.ZoneText);
    Ar("zoneSpelling", X.ZoneSpelling);
    Ar("zoneParameter", X.ZoneParameter);
    Ar("parameterAlone", X.ParameterAlone);
    Ar("statement", X.Statement);
    Ar("wholeStatement", X.WholeStatement);
    Ar("resultUsed", X.ResultUsed);
    Ar("inFunction", X.InFunction);
    Ar("from", X.From);
    Ar("trouble", X.Trouble);
    Ar("units", X.Units);
    Ar("locals", X.Locals);
    Ar("dest", X.Dest);
    Ar("nullChecked", X.NullChecked);
    Ar("cleared", X.Cleared);
    Ar("assignTo", X.AssignTo);
    Ar("checks", X.Checks);
    Ar("retry", X.Retry);
    Ar("inLoop", X.InLoop);
  } else if constexpr (is<T, Use>) {
    Ar("var", X.Var);
    Ar("role", X.What);
    Ar("name", X.Name);
    Ar("expr", X.Expr);
    Ar("statement", X.Statement);
    Ar("wholeStatement", X.WholeStatement);
    Ar("other", X.Other);
    Ar("detail", X.Detail);
    Ar("assertion", X.Assertion);
    Ar("value", X.Value);
    Ar("values", X.Values);
    Ar("inFunction", X.InFunction);
    Ar("from", X.From);
  } else if constexpr (is<T, SizeText>) {
    Ar("var", X.Key);
    Ar("spelling", X.Spelling);
    Ar("names", X.Names);
    Ar("object", X.Object);
    Ar("definitions", X.Definitions);
  } else if constexpr (is<T, NamedSize>) {
    Ar("name", X.Name);
    Ar("text", X.Text);
    Ar("configuration", X.Configuration);
    Ar("units", X.Units);
  } else if constexpr (is<T, LosingFunction>) {
    Ar("name", X.Name);
    Ar("external", X.External);
    Ar("definition", X.Definition);
    Ar("body", X.Body);
    Ar("declarations", X.Declarations);
    Ar("calls", X.Calls);
    Ar("inits", X.Inits);
    Ar("tests", X.Tests);
    Ar("returns", X.Returns);
    Ar("known", X.Known);
  } else if constexpr (is<T, LosingFunction::Return>) {
    Ar("text", X.Text);
    Ar("value", X.Value);
  } else if constexpr (is<T, Label>) {
    Ar("name", X.Name);
    Ar("inFunction", X.InFunction);
    Ar("rest", X.Rest);
    Ar("jumps", X.Jumps);
  } else if constexpr (is<T, ItemMemory>) {
    Ar("var", X.Var);
    Ar("function", X.Function);
    Ar("call", X.Call);
    Ar("statement", X.Statement);
    Ar("args", X.Args);
    Ar("sizeArg", X.SizeArg);
    Ar("inFunction", X.InFunction);
  } else if constexpr (is<T, Mention>) {
    Ar("text", X.Text);
    Ar("name", X.Name);
    Ar("kind", X.Kind);
    Ar("var", X.Var);
    Ar("state", X.State);
    Ar("call", X.Call);
    Ar("args", X.Args);
    Ar("argTexts", X.ArgTexts);
    Ar("statement", X.Statement);
  } else if constexpr (is<T, Facts::Taken>) {
    Ar("name", X.Name);
    Ar("files", X.Files);
  } else {
    static_assert(is<T, Facts>);
    Ar("tree", X.Tree);
    Ar("shards", X.Shards);
    Ar("lacksKmallocObj", X.LacksKmallocObj);
    Ar("units", X.Units);
    Ar("files", X.Files);
    Ar("variables", X.Variables);
    Ar("mallocDefines", X.MallocDefines);
    Ar("sites", X.Sites);
    Ar("uses", X.Uses);
    Ar("statements", X.Statements);
    Ar("itemMemories", X.ItemMemories);
    Ar("sizes", X.Sizes);
    Ar("namedSizes", X.NamedSizes);
    Ar("functions", X.Functions);
    Ar("labels", X.Labels);
    Ar("mentions", X.Mentions);
    Ar("identifiers", X.Identifiers);
  }
}

} // namespace

json::Value kmobj::toJSON(const Facts &F) {
  json::Object O = Writer::object(F);
  O["version"] = Facts::Version;
  return O;
}

std::optional<json::Value> kmobj::toExactJSON(const Facts &F) {
  Mended = false;
  json::Value V = toJSON(F);
  if (Mended)
    return std::nullopt;
  return V;
}

bool kmobj::fromJSON(const json::Value &V, Facts &F, json::Path P) {
  F = Facts();
  if (const json::Object *O = V.getAsObject())
    if (O->getInteger("version") != Facts::Version) {
      P.field("version").report("not a facts file of this version of kmobj");
      return false;
    }
  return Reader::object(V, F, P);
}

llvm::Expected<Facts> kmobj::readFacts(llvm::StringRef Path) {
  auto Buffer = llvm::MemoryBuffer::getFile(Path, /*IsText=*/true);
  if (!Buffer)
    return llvm::createStringError(
        Buffer.getError(), "%s: cannot read the facts: %s", Path.str().c_str(),
        Buffer.getError().message().c_str());
  llvm::Expected<json::Value> V = json::parse((*Buffer)->getBuffer());
  if (!V)
    return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                   "%s: not JSON: %s", Path.str().c_str(),
                                   llvm::toString(V.takeError()).c_str());
  Facts F;
  json::Path::Root Root("facts");
  if (!fromJSON(*V, F, Root))
    return llvm::createStringError(llvm::inconvertibleErrorCode(), "%s: %s",
                                   Path.str().c_str(),
                                   llvm::toString(Root.getError()).c_str());
  return F;
}

std::string kmobj::writeFacts(const Facts &F) {
  std::string Text;
  llvm::raw_string_ostream OS(Text);
  OS << llvm::formatv("{0:2}", toJSON(F)) << '\n';
  return Text;
}
