/* SPDX-License-Identifier: BSD-3-Clause */
//===- TreeIndex.cpp - Which files can matter, from their text ------------===//

#include "TreeIndex.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/xxhash.h"

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
  llvm::StringSet<> Seen;
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
    if (Text.starts_with("M_") && Seen.insert(Text).second)
      F.TypeNames.push_back(Text.str());
    if (Text[0] == 'z' || Text[0] == 'o' || Text[0] == 'v' || Text[0] == 'Z')
      api(T, Text);
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
    } else if (Last == "#" && Text == "include_next") {
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
    F.Includes.push_back({Text.drop_front().drop_back().str(), Angled});
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

FileIndex kmobj::indexFile(std::string Name, StringRef Source) {
  FileIndex F;
  F.Name = std::move(Name);
  F.Header = path::extension(F.Name) != ".c";
  Indexer I(F, Source);
  scan(Source, I);
  I.finish();
  return F;
}

TreeIndex::TreeIndex(TextStore &Store,
                     llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS)
    : Store(Store), FS(std::move(FS)) {}

/// The C files below the tree. Links to directories are not followed: what
/// they lead to is in the tree, or is none of it.
std::vector<std::string> TreeIndex::findFiles() {
  std::vector<std::string> Paths, Directories = {Store.tree()};
  while (!Directories.empty()) {
    std::string Directory = std::move(Directories.back());
    Directories.pop_back();
    std::error_code EC;
    llvm::vfs::directory_iterator It = FS->dir_begin(Directory, EC), End;
    for (; !EC && It != End; It.increment(EC)) {
      StringRef Extension = path::extension(It->path());
      if (It->type() == llvm::sys::fs::file_type::directory_file)
        Directories.push_back(It->path().str());
      else if (Extension == ".c" || Extension == ".h")
        // A link is indexed under the name of what it points to.
        if (std::string Name = Store.name(It->path());
            Files.try_emplace(Name).second)
          Paths.push_back(std::move(Name));
    }
    if (EC)
      Unreadable[Store.name(Directory)] = EC.message();
  }
  return Paths;
}

void TreeIndex::scanTree(unsigned Jobs) {
  const std::vector<std::string> Paths = findFiles();
  std::vector<std::unique_ptr<FileIndex>> Found(Paths.size());
  std::vector<std::error_code> Errors(Paths.size());
  {
    llvm::DefaultThreadPool Pool(llvm::hardware_concurrency(Jobs));
    constexpr size_t Batch = 64;
    for (size_t First = 0; First < Paths.size(); First += Batch)
      Pool.async([&, First] {
        for (size_t I = First; I < std::min(First + Batch, Paths.size()); ++I)
          if (auto Buffer = FS->getBufferForFile(Store.absolute(Paths[I])))
            Found[I] = std::make_unique<FileIndex>(
                indexFile(Paths[I], (*Buffer)->getBuffer()));
          else
            Errors[I] = Buffer.getError();
      });
    Pool.wait();
  }
  for (size_t I = 0; I < Paths.size(); ++I) {
    Files[Paths[I]] = std::move(Found[I]);
    if (Errors[I])
      Unreadable[Paths[I]] = Errors[I].message();
  }
}

const FileIndex *TreeIndex::file(StringRef File) {
  std::string Name = Store.name(File);
  auto [It, New] = Files.try_emplace(Name);
  if (New)
    if (auto Buffer = FS->getBufferForFile(Store.absolute(Name)))
      It->second =
          std::make_unique<FileIndex>(indexFile(Name, (*Buffer)->getBuffer()));
  return It->second.get();
}

bool TreeIndex::exists(StringRef File) {
  auto [It, New] = Exists.try_emplace(File, false);
  if (New) {
    auto Status = FS->status(File);
    It->second = Status && !Status->isDirectory();
  }
  return It->second;
}

/// How one search path resolves #include directives.
class TreeIndex::IncludeGraph {
public:
  IncludeGraph(TreeIndex &Index, std::vector<std::string> Search)
      : Index(Index), Search(std::move(Search)) {}

  void reach(llvm::ArrayRef<std::string> Roots, Closure &Found) {
    ++Visit;
    std::vector<Node *> Work;
    auto Push = [&](Node *N) {
      if (N->File && N->Visited != Visit) {
        N->Visited = Visit;
        Work.push_back(N);
      }
    };
    for (const std::string &Root : Roots)
      Push(node(Root));
    llvm::DenseSet<const FileIndex *> Seen;
    for (size_t W = 0; W < Work.size(); ++W) {
      if (Seen.insert(Work[W]->File).second)
        Found.push_back(Work[W]->File);
      resolve(*Work[W]);
      for (Node *N : Work[W]->Includes)
        Push(N);
    }
  }

private:
  /// A file by the path it is found by, which `#include "x"' starts from.
  struct Node {
    std::string Path;
    const FileIndex *File;
    bool Resolved = false;
    unsigned Visited = 0;
    std::vector<Node *> Includes;
  };

  Node *node(StringRef Path) {
    std::unique_ptr<Node> &N = Nodes[Path];
    if (!N)
      N.reset(new Node{Path.str(), Index.file(Path), false, 0, {}});
    return N.get();
  }

  void resolve(Node &N) {
    if (N.Resolved)
      return;
    N.Resolved = true;
    for (const FileIndex::IncludeName &Inc : N.File->Includes) {
      if (path::is_absolute(Inc.Name)) {
        N.Includes.push_back(node(Inc.Name));
        continue;
      }
      auto Try = [&](StringRef Directory) {
        llvm::SmallString<256> P(Directory);
        path::append(P, Inc.Name);
        if (!Index.exists(P))
          return false;
        N.Includes.push_back(node(P));
        return true;
      };
      if (!Inc.Angled && Try(path::parent_path(N.Path)))
        continue;
      for (const std::string &Directory : Search)
        if (Try(Directory))
          break;
    }
  }

  TreeIndex &Index;
  std::vector<std::string> Search;
  llvm::StringMap<std::unique_ptr<Node>> Nodes;
  unsigned Visit = 0;
};

TreeIndex::~TreeIndex() = default;

const FileText *TreeIndex::text(const FileIndex &F) {
  for (const auto &[Defines, Line] : CommandLines)
    if (Line.first.get() == &F)
      return Line.second.get();
  return Store.get(F.Name);
}

TreeIndex::Closure
TreeIndex::closure(const clang::tooling::CompileCommand &Command) {
  auto Absolute = [&](StringRef P) {
    llvm::SmallString<256> A(P);
    if (!path::is_absolute(A)) {
      A = Command.Directory;
      path::append(A, P);
    }
    return A.str().str();
  };
  std::vector<std::string> Roots = {Absolute(Command.Filename)};
  std::map<StringRef, std::vector<std::string>> Directories;
  std::string Defines;
  const std::vector<std::string> &Args = Command.CommandLine;
  for (size_t I = 1; I < Args.size(); ++I) {
    if (StringRef D = Args[I]; D.consume_front("-D")) {
      auto [Name, Value] =
          (D.empty() && I + 1 < Args.size() ? Args[I + 1] : D).split('=');
      Defines += ("#define " + Name + " " + Value + "\n").str();
    }
    for (StringRef Option :
         {"-I", "-isystem", "-iquote", "-idirafter", "-include", "-imacros"}) {
      StringRef Value = Args[I];
      if (!Value.consume_front(Option))
        continue;
      if (Value.empty() && I + 1 < Args.size())
        Value = Args[++I];
      bool IsFile = Option == "-include" || Option == "-imacros";
      (IsFile ? Roots : Directories[Option]).push_back(Absolute(Value));
      break;
    }
  }
  std::vector<std::string> Search;
  for (StringRef Option : {"-iquote", "-I", "-isystem", "-idirafter"})
    llvm::append_range(Search, Directories[Option]);
  std::unique_ptr<IncludeGraph> &Graph = Graphs[Search];
  if (!Graph)
    Graph = std::make_unique<IncludeGraph>(*this, Search);
  Closure Found;
  if (!file(Roots.front()))
    return Found;
  Graph->reach(Roots, Found);
  auto &[File, Text] = CommandLines[Defines];
  if (!File) {
    File = std::make_unique<FileIndex>(indexFile("/command line", Defines));
    Text = std::make_unique<FileText>(
        File->Name, llvm::MemoryBuffer::getMemBufferCopy(Defines));
  }
  Found.push_back(File.get());
  return Found;
}

/// Parts of a name that come as arguments of macros, in order.
using Parts = std::vector<std::string>;

/// What Name has for the one `*' in the Pattern, if it fits.
static std::optional<StringRef> part(StringRef Pattern, StringRef Name) {
  auto [Front, Back] = Pattern.split('*');
  if (Name.consume_front(Front) && Name.consume_back(Back))
    return Name;
  return std::nullopt;
}

/// Which file says which candidate's name, other than to declare it.
class TreeIndex::NameTable {
public:
  NameTable(TreeIndex &Index, std::vector<const FileIndex *> Indexed)
      : Index(Index), Indexed(std::move(Indexed)) {
    for (const FileIndex *F : this->Indexed)
      if (!isApiFile(F->Name))
        for (const FileIndex::Candidate &C : F->Candidates)
          declare(*F, C);
    for (const std::string &Name : apiNames()) {
      Linked.insert(Name);
      for (const FileIndex *F : this->Indexed)
        for (const FileIndex::Paste &P : F->Pastes)
          paste(*F, P, Name);
    }
    // A macro with a name in its body is a name, which others may have.
    while (!Fresh.empty()) {
      std::set<std::string> Names = std::exchange(Fresh, {});
      for (const FileIndex *F : this->Indexed)
        look(*F, Names);
    }
  }

  bool matters(const Closure &Unit) {
    if (Unit.empty())
      return true;
    const FileIndex &Main = *Unit.front();
    if (Main.CallsApi || Main.MacroCalls || Main.NamesType)
      return true;
    std::set<StringRef> Seen;
    for (const FileIndex *F : Unit) {
      if (F->Opaque || Unread.count(F) || (F->CallsApi && !isApiFile(F->Name)))
        return true;
      for (const std::string &X : F->ComputedIncludes)
        for (const FileIndex *By : Unit)
          if (By->mayName("#" + X))
            return true;
      if (auto It = Declares.find(F); It != Declares.end())
        Seen.insert(It->second.begin(), It->second.end());
    }
    // A macro counts where a name in its body does.
    for (bool More = true; std::exchange(More, false);)
      for (const FileIndex *F : Unit)
        if (auto It = Carries.find(F); It != Carries.end())
          for (const auto &[Name, Macro] : It->second)
            if (Linked.count(Name) || Seen.count(Name))
              More |= Seen.insert(Macro).second;
    for (const FileIndex *F : Unit)
      if (auto It = Says.find(F); It != Says.end())
        for (const auto &[Name, OnlyInMacro] : It->second)
          if ((F == &Main || !OnlyInMacro) &&
              (Linked.count(Name) || Seen.count(Name)))
            return true;
    return false;
  }

  bool isPlain(const FileIndex &F) const {
    return !F.CallsApi && !F.NamesType && F.TypeNames.empty() && !F.Opaque &&
           !F.IncludesInBody && !Says.count(&F);
  }

private:
  void declare(const FileIndex &F, const FileIndex::Candidate &C) {
    if (!C.InMacro)
      ++Declared[{&F, C.Name}];
    Declares[&F].insert(C.Name);
    if (C.Linked)
      Linked.insert(C.Name);
    know(C.Name, {});
  }

  void know(const std::string &Name, Parts Missing) {
    if (Known[Name].insert(std::move(Missing)).second)
      Fresh.insert(Name);
  }

  /// Has F the part that Macro lacks? An empty one is an argument left out.
  static bool says(const FileIndex &F, const FileText &Text,
                   const std::string &Macro, const std::string &Part) {
    if (!F.mayName(Part.empty() ? Macro : Part))
      return false;
    for (size_t I = 0; I < Text.tokens().size(); ++I)
      if (Part.empty() ? Text.is(I, Macro) && leavesOut(Text, I + 1)
                       : Text.is(I, Part))
        return true;
    return false;
  }

  static bool leavesOut(const FileText &Text, size_t Open) {
    if (!Text.is(Open, "("))
      return false;
    for (size_t I = Open, Close = Text.closing(Open); I < Close; ++I)
      if ((Text.is(I, "(") || Text.is(I, ",")) &&
          (Text.is(I + 1, ")") || Text.is(I + 1, ",")))
        return true;
    return false;
  }

  /// Macro, in F, has Name in its body.
  void carry(const FileIndex &F, const FileText &Text, const std::string &Name,
             const std::string &Macro) {
    Carries[&F].insert({Name, Macro});
    const std::set<Parts> Of = Known[Name];
    for (Parts Missing : Of) {
      llvm::erase_if(Missing, [&](const std::string &P) {
        return says(F, Text, Name, P);
      });
      know(Macro, std::move(Missing));
    }
  }

  static std::vector<std::string> apiNames() {
    std::vector<std::string> Names(std::begin(ApiTypes), std::end(ApiTypes));
    for (unsigned I = 0;
         I <= static_cast<unsigned>(Api::ObjcacheSetClusterLimit); ++I)
      Names.push_back(apiName(static_cast<Api>(I)).str());
    return Names;
  }

  /// The macro is the name for those who say what it lacks.
  void paste(const FileIndex &F, const FileIndex::Paste &P, StringRef Name) {
    if (std::optional<StringRef> Part = part(P.Pattern, Name)) {
      Carries[&F].insert({Name.str(), P.Macro});
      know(P.Macro, {Part->str()});
    }
  }

  void look(const FileIndex &F, const std::set<std::string> &Names) {
    for (const FileIndex::Paste &P : F.Pastes)
      for (const std::string &Name : Names)
        if (Known[Name].count({}))
          paste(F, P, Name);
    if (isApiFile(F.Name))
      return;
    llvm::StringSet<> Likely;
    for (const std::string &Name : Names)
      if (F.mayName(Name))
        Likely.insert(Name);
    if (Likely.empty())
      return;
    const FileText *Text = Index.text(F);
    if (!Text) {
      Unread.insert(&F);
      return;
    }
    std::map<std::string, unsigned> Outside;
    std::map<std::string, std::set<std::string>> Inside; ///< macro -> names
    const std::vector<TextToken> &Tokens = Text->tokens();
    StringRef Macro;
    for (size_t I = 0; I < Tokens.size(); ++I) {
      if (Tokens[I].LineStart)
        Macro = {};
      if (Tokens[I].Kind != TextToken::Identifier &&
          Tokens[I].Kind != TextToken::Number)
        continue;
      StringRef Word = Text->text(Tokens[I]);
      if (Tokens[I].Directive && Text->is(I - 1, "define") &&
          Text->is(I - 2, "#")) {
        Macro = Word;
        continue;
      }
      auto Say = [&](StringRef Name) {
        if (!Likely.contains(Name))
          return;
        if (Macro.empty())
          ++Outside[Name.str()];
        else
          Inside[Macro.str()].insert(Name.str());
      };
      Say(Word);
      if (I > 1 && Text->is(I - 1, ","))
        Say((Text->text(Tokens[I - 2]) + Word).str());
    }
    for (const auto &[Name, Times] : Outside)
      if (Times > declarations(F, Name) && isWhole(F, *Text, Name))
        Says[&F][Name] = false;
    for (const auto &[Macro, Words] : Inside)
      for (const std::string &Name : Words) {
        if (isWhole(F, *Text, Name))
          Says[&F].try_emplace(Name, true);
        carry(F, *Text, Name, Macro);
      }
  }

  /// Are the parts there that Name needs to be one?
  bool isWhole(const FileIndex &F, const FileText &Text,
               const std::string &Name) const {
    return llvm::any_of(Known.at(Name), [&](const Parts &Missing) {
      return llvm::all_of(Missing, [&](const std::string &P) {
        return says(F, Text, Name, P);
      });
    });
  }

  unsigned declarations(const FileIndex &F, const std::string &Name) const {
    auto It = Declared.find({&F, Name});
    return It == Declared.end() ? 0 : It->second;
  }

  TreeIndex &Index;
  const std::vector<const FileIndex *> Indexed;
  /// Names, and what else a file has to say for a macro to be one: the parts
  /// that it pastes together, in each of the ways there are.
  std::map<std::string, std::set<Parts>> Known;
  std::set<std::string> Fresh, Linked;
  std::set<const FileIndex *> Unread; ///< name something, who knows where
  std::map<const FileIndex *, std::set<std::string>> Declares;
  /// Names in the bodies of macros, with the macro.
  std::map<const FileIndex *, std::set<std::pair<std::string, std::string>>>
      Carries;
  /// How often a file declares a name outside macros.
  std::map<std::pair<const FileIndex *, std::string>, unsigned> Declared;
  /// true: only in the bodies of macros.
  std::map<const FileIndex *, std::map<std::string, bool>> Says;
};

std::vector<bool> TreeIndex::matter(llvm::ArrayRef<Closure> Units) {
  std::vector<const FileIndex *> Indexed;
  for (const auto &[Name, File] : Files)
    if (File)
      Indexed.push_back(File.get());
  for (const auto &[Defines, Line] : CommandLines)
    Indexed.push_back(Line.first.get());
  NameTable Names(*this, std::move(Indexed));
  std::vector<bool> Result;
  for (const Closure &Unit : Units)
    Result.push_back(Names.matters(Unit));
  for (const auto &[Name, File] : Files)
    if (File && Names.isPlain(*File))
      Plain.insert(File.get());
  return Result;
}

bool TreeIndex::isPlain(StringRef Name) const {
  auto It = Files.find(Name.str());
  return It != Files.end() && Plain.count(It->second.get());
}
