/* SPDX-License-Identifier: BSD-3-Clause */
//===- FileIndex.cpp - What the text of one file can mean -----------------===//

#include "FileIndex.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"
#include <map>
#include <mutex>

using namespace kmobj;
using llvm::StringRef;
namespace path = llvm::sys::path;

bool kmobj::isApiHeader(StringRef File) {
  return File.ends_with("vm/vm_zone.h") || File.ends_with("sys/objcache.h");
}

bool kmobj::isApiFile(StringRef File) {
  return isApiHeader(File) || File.ends_with("vm/vm_zone.c") ||
         File.ends_with("kern/kern_objcache.c");
}

static constexpr StringRef ApiTypes[] = {"vm_zone_t", "vm_zone", "objcache",
                                         "objcache_malloc_args"};

llvm::ArrayRef<StringRef> kmobj::apiTypes() { return ApiTypes; }

static bool isApiType(StringRef Name) {
  return llvm::is_contained(ApiTypes, Name);
}

/// The bits of Name in a filter of so many words.
static std::array<uint64_t, 4> bloomBits(StringRef Name, size_t Words) {
  uint64_t H = llvm::xxh3_64bits(Name), Step = H >> 32 | 1;
  uint64_t Mask = Words * 64 - 1;
  return {H & Mask, (H + Step) & Mask, (H + 2 * Step) & Mask,
          (H + 3 * Step) & Mask};
}

bool FileIndex::mayName(StringRef Identifier) const {
  return llvm::all_of(bloomBits(Identifier, Filter.size()), [&](uint64_t B) {
    return Filter[B / 64] >> (B % 64) & 1;
  });
}

namespace {

/// Follows the tokens of one file.
class Indexer {
public:
  Indexer(FileIndex &F, StringRef Source) : F(F), Source(Source) {
    F.Filter.resize(llvm::PowerOf2Ceil(Source.size() / 64 + 1));
  }

  void operator()(const TextToken &T) {
    StringRef Text = Source.slice(T.Begin, T.End);
    bool Word = T.Kind == TextToken::Identifier || T.Kind == TextToken::Number;
    if (PendingCall && Text != ";")
      call(Macro);
    PendingCall = false;
    if (T.LineStart) {
      if (T.Directive != LastDirective) {
        if (T.Directive)
          Outside = std::exchange(Declared, {});
        else
          Declared = Outside;
      } else if (T.Directive) {
        Declared = {};
      }
      endPaste();
      Macro = {};
    }
    F.Opaque |= isForPreprocessor(T, Text, Word);
    InCreation &= Text != ";";
    if (Word)
      word(T, Text);
    follow(T, Text);
    if (T.Directive)
      directive(T, Text, Word);
    else
      scope(T, Text);
    BeforeLast = Last;
    Last = Text;
    LastEnd = T.End;
    LastWord = Word;
    LastDirective = T.Directive;
  }

  void finish() { endPaste(); }

private:
  FileIndex &F;
  StringRef Source, Last, BeforeLast;
  uint32_t LastEnd = 0;
  bool LastWord = false, LastDirective = false;
  unsigned Depth = 0, Parens = 0;
  /// Of the declaration at hand.
  bool Static = false, Extern = false, InColumnOne = false, Begins = true;
  StringRef Function; ///< whose parameters are being read
  StringRef Macro;    ///< that this directive defines
  llvm::SmallVector<StringRef, 8> Parameters;
  bool InParameters = false, PendingCall = false;
  std::string Pasted; ///< what ## joins, '*' for what comes as an argument
  bool IsJoined = false;
  llvm::StringSet<> Seen, SizeNames;
  bool InCreation = false; ///< of a zone or cache, or of a cache's arguments
  /// Following `vm_zone_t` or `struct objcache`: names come.
  struct Declarators {
    enum { None, Names, AfterName, AfterComma } State = None;
    StringRef Pending;
    unsigned Brackets = 0;
  };
  Declarators Declared, Outside; ///< of a directive in the midst of them

  /// A name that goes on in the next line, a digraph, a trigraph.
  bool isForPreprocessor(const TextToken &T, StringRef Text, bool Word) const {
    if (T.Begin == LastEnd)
      return (Last == "%" && Text == ":") || (Last == "?" && Text == "?");
    StringRef Between = Source.slice(LastEnd, T.Begin);
    return Word && LastWord && Between[0] == '\\' &&
           Between.trim("\\\r\n").empty();
  }

  void remember(StringRef Name) {
    for (uint64_t B : bloomBits(Name, F.Filter.size()))
      F.Filter[B / 64] |= 1ull << (B % 64);
  }

  void word(const TextToken &T, StringRef Text) {
    // Two arguments may be the parts of a name.
    if (Last == "," && !BeforeLast.empty() &&
        (llvm::isAlpha(BeforeLast[0]) || BeforeLast[0] == '_')) {
      llvm::SmallString<64> Both(BeforeLast);
      Both += Text;
      remember(Both);
      if (apiByName(Both))
        call(Macro);
    }
    if (T.Kind == TextToken::Number)
      return;
    remember(Text);
    sizeName(Text);
    if (Text.starts_with("M_") && Seen.insert(Text).second)
      F.TypeNames.push_back(Text.str());
    if (Text[0] == 'z' || Text[0] == 'o' || Text[0] == 'v' || Text[0] == 'Z')
      api(T, Text);
  }

  void sizeName(StringRef Text) {
    if (InCreation && Text != "struct" && Text != "union") {
      const bool Tag = Last == "struct" || Last == "union";
      const std::string Name = ((Tag ? Last + " " : "") + Text).str();
      if (SizeNames.insert(Name).second)
        F.SizeNames.push_back(Name);
    }
    const std::optional<Api> A = apiByName(Text);
    InCreation |= (A && isCreation(*A)) || Text == "objcache_malloc_args" ||
                  Text == "objsize";
  }

  void api(const TextToken &T, StringRef Text) {
    if (apiByName(Text)) {
      F.Api.push_back({T.Begin, T.End, Mention::Function});
      bool Accessed = Last == "." || (Last == ">" && BeforeLast == "-");
      if (LastWord && Last != "return")
        PendingCall = true; // a member's declaration, if `;' follows
      else if (!Accessed)
        call(Macro);
    } else if (isApiType(Text)) {
      F.Api.push_back({T.Begin, T.End, Mention::Type});
      F.NamesType = true;
      Declared = {Declarators::Names, {}, 0};
      if (!Macro.empty())
        F.Candidates.push_back({Macro.str(), false, true});
      else if (Depth == 0 && Parens > 0 && !Function.empty())
        F.Candidates.push_back(
            {std::exchange(Function, {}).str(), false, false});
    } else if (Text.starts_with("ZONE_")) {
      F.Api.push_back({T.Begin, T.End, Mention::Flag});
    }
  }

  void call(StringRef InMacro) {
    (InMacro.empty() ? F.CallsApi : F.MacroCalls) = true;
    if (!InMacro.empty())
      F.Candidates.push_back({InMacro.str(), false, true});
  }

  void directive(const TextToken &T, StringRef Text, bool Word) {
    if (Text == "(" && BeforeLast != "define" &&
        (Last.starts_with("__has_include") || Last == "__has_embed"))
      ask(T);
    if (Last == "define" && BeforeLast == "#") {
      Macro = Text;
      remember(("#" + Text).str());
      Parameters = {"__VA_ARGS__"};
      InParameters = Source.substr(T.End).starts_with("(");
    } else if (InParameters) {
      if (Word)
        Parameters.push_back(Text);
      InParameters = Text != ")";
    } else if (!Macro.empty()) {
      paste(Text, Word);
    } else if (Last == "#" && (Text == "include_next" || Text == "embed")) {
      F.Opaque = true;
    } else if (BeforeLast == "#" && (Last == "include" || Last == "import")) {
      include(T, Text);
    }
  }

  void paste(StringRef Text, bool Word) {
    if (Text == "#")
      return;
    if (Last == "#" && BeforeLast == "#")
      IsJoined = true;
    else
      endPaste();
    bool Literal = Word && !llvm::is_contained(Parameters, Text);
    Pasted += Literal ? Text : "*";
  }

  void endPaste() {
    if (IsJoined && Pasted.size() > 1 && StringRef(Pasted).count('*') == 1)
      F.Pastes.push_back({Macro.str(), Pasted});
    IsJoined = false;
    Pasted.clear();
  }

  void include(const TextToken &T, StringRef Text) {
    bool Angled = Text.starts_with("<");
    F.IncludesInBody |= Depth > 0;
    if (T.Kind == TextToken::Identifier) {
      F.ComputedIncludes.push_back(Text.str());
      return;
    }
    if (T.Kind != TextToken::String || Text.size() < 2) {
      F.Opaque = true;
      return;
    }
    F.Includes.push_back(
        {Text.drop_front().drop_back().str(), Angled, Depth > 0});
  }

  /// __has_include(<x.h>), from its parenthesis on.
  void ask(const TextToken &T) {
    StringRef Name = Source.substr(T.End).ltrim(" \t");
    const bool Angled = Name.consume_front("<");
    const size_t End = Name.find_first_of(Angled ? ">\n" : "\"\n", !Angled);
    if (Last != "__has_include" || (!Angled && !Name.starts_with("\"")) ||
        End == StringRef::npos || Name[End] == '\n')
      F.Opaque = true;
    else
      F.Includes.push_back(
          {Name.slice(!Angled, End).str(), Angled, Depth > 0});
  }

  /// Where in the nesting of a file the token stands.
  void scope(const TextToken &T, StringRef Text) {
    if (Begins)
      InColumnOne = T.Begin == 0 || Source[T.Begin - 1] == '\n';
    Begins = false;
    if (T.Kind == TextToken::Identifier) {
      Static |= Text == "static";
      Extern |= Text == "extern";
    } else if (T.Kind == TextToken::Punct) {
      if (Text == "(") {
        if (Parens++ == 0)
          Function = LastWord ? Last : StringRef();
      } else if (Text == ")" && Parens) {
        --Parens;
      }
      if (Text == "{") {
        ++Depth;
      } else if (Text == "}") {
        Depth -= Depth > 0;
      }
      if (Text == ";" || Text == "}" || Text == "{") {
        Static = Extern = false;
        Begins = true;
        Parens = 0;
      }
    }
  }

  void follow(const TextToken &T, StringRef Text) {
    Declarators &D = Declared;
    if (D.State == Declarators::None || isApiType(Text))
      return;
    bool Name = T.Kind == TextToken::Identifier;
    switch (D.State) {
    case Declarators::Names:
      if (Name && Text.starts_with("__")) {
        D.Pending = Text; // an attribute, unless no other name follows
        return;
      }
      if (Text == "const" || Text == "volatile" || Text == "*" || Text == "(")
        return;
      if (Name || !D.Pending.empty())
        candidate(Name ? Text : D.Pending);
      D.Pending = {};
      D.State = Declarators::AfterName;
      if (Name)
        return;
      [[fallthrough]];
    case Declarators::AfterName:
      if (Text == "(" || Text == "[" || (Text == "{" && Last == "=") ||
          (Text == "{" && D.Brackets))
        ++D.Brackets;
      else if (D.Brackets && (Text == ")" || Text == "]" || Text == "}"))
        --D.Brackets;
      else if (D.Brackets)
        return;
      else if (Text == ",")
        D.State = Declarators::AfterComma;
      else if (Text == ";" || Text == ")" || Text == "{")
        D.State = Declarators::None;
      return;
    case Declarators::AfterComma:
      // `vm_zone_t a, b;` goes on; in `f(vm_zone_t z, int n)` a type follows.
      if (D.Pending.empty()) {
        if (Name)
          D.Pending = Text;
        else if (Text != "*")
          D.State = Declarators::None;
        return;
      }
      if (Name || Text == "*") {
        D.State = Declarators::None;
        return;
      }
      candidate(std::exchange(D.Pending, {}));
      D.State = Declarators::AfterName;
      return follow(T, Text);
    case Declarators::None:
      return;
    }
  }

  void candidate(StringRef Name) {
    // What a macro declares by its parameter, its users say.
    if (!Macro.empty() && llvm::is_contained(Parameters, Name))
      return;
    // A declaration that begins in column one is at file scope, however the
    // braces of #if and #else add up.
    bool Linked = Macro.empty() && !Static && Parens == 0 &&
                  (Depth == 0 || Extern || InColumnOne);
    F.Candidates.push_back({Name.str(), Linked, !Macro.empty()});
  }
};

} // namespace

std::string kmobj::digestOf(StringRef Source) {
  return llvm::toStringRef(
             llvm::BLAKE3::hash(llvm::arrayRefFromStringRef(Source)))
      .str();
}

static FileIndex readIndex(std::string Name, StringRef Source) {
  FileIndex F;
  F.Name = std::move(Name);
  F.Header = path::extension(F.Name) != ".c";
  Indexer I(F, Source);
  scan(Source, I);
  I.finish();
  return F;
}

std::shared_ptr<const FileIndex> kmobj::indexFile(std::string Name,
                                                  StringRef Source) {
  static std::mutex Lock;
  static std::map<std::pair<std::string, std::string>,
                  std::shared_ptr<const FileIndex>>
      Known;
  std::pair<std::string, std::string> Key(std::move(Name), digestOf(Source));
  {
    const std::lock_guard<std::mutex> Hold(Lock);
    if (auto Found = Known.find(Key); Found != Known.end())
      return Found->second;
  }
  auto F = std::make_shared<FileIndex>(readIndex(Key.first, Source));
  F->Digest = Key.second;
  const std::lock_guard<std::mutex> Hold(Lock);
  return Known.try_emplace(std::move(Key), std::move(F)).first->second;
}
