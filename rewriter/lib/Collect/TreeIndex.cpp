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

static bool isApiType(StringRef Name) {
  return Name == "vm_zone_t" || Name == "vm_zone" || Name == "objcache" ||
         Name == "objcache_malloc_args";
}

static std::pair<uint64_t, uint64_t> bloomBits(StringRef Name, size_t Words) {
  uint64_t H = llvm::xxh3_64bits(Name);
  uint64_t Mask = Words * 64 - 1;
  return {H & Mask, (H >> 32) & Mask};
}

bool FileIndex::mayName(StringRef Identifier) const {
  auto [A, B] = bloomBits(Identifier, Filter.size());
  return (Filter[A / 64] >> (A % 64) & 1) && (Filter[B / 64] >> (B % 64) & 1);
}

namespace {

bool startsIdentifier(StringRef Text) {
  return !Text.empty() && (llvm::isAlpha(Text[0]) || Text[0] == '_');
}

/// Follows the tokens of one file.
class Indexer {
public:
  Indexer(FileIndex &F, StringRef Source) : F(F), Source(Source) {
    F.Filter.resize(llvm::PowerOf2Ceil(Source.size() / 128 + 1));
  }

  void operator()(const TextToken &T) {
    StringRef Text = Source.slice(T.Begin, T.End);
    bool Identifier = T.Kind == TextToken::Identifier;
    if (PendingCall && Text != ";")
      call(Macro);
    PendingCall = false;
    if (T.LineStart) {
      if (T.Directive || LastDirective)
        Declaring = Nothing;
      Macro = {};
    }
    if (Identifier)
      identifier(T, Text);
    follow(T, Text);
    if (T.Directive)
      directive(T, Text);
    else
      scope(T, Text);
    // Of what is being pasted, only the first part begins a name.
    if (Identifier)
      AfterPaste = T.Directive && Last == "#" && BeforeLast == "#";
    BeforeLast = Last;
    Last = Text;
    LastIdentifier = Identifier;
    LastDirective = T.Directive;
  }

private:
  FileIndex &F;
  StringRef Source, Last, BeforeLast;
  bool LastIdentifier = false, LastDirective = false;
  unsigned Depth = 0, Parens = 0;
  /// Of the declaration at hand.
  bool Static = false, Extern = false, InColumnOne = false, Begins = true;
  StringRef Macro; ///< that this directive defines
  llvm::SmallVector<StringRef, 8> Parameters;
  bool InParameters = false, PendingCall = false, AfterPaste = false;
  llvm::StringSet<> Seen;
  /// Following `vm_zone_t` or `struct objcache`: names come.
  enum { Nothing, Names, AfterName, AfterComma } Declaring = Nothing;
  StringRef Pending;

  void identifier(const TextToken &T, StringRef Text) {
    auto [A, B] = bloomBits(Text, F.Filter.size());
    F.Filter[A / 64] |= 1ull << (A % 64);
    F.Filter[B / 64] |= 1ull << (B % 64);
    if (Text.starts_with("M_") && Seen.insert(Text).second)
      F.TypeNames.push_back(Text.str());
    if (Text[0] == 'z' || Text[0] == 'o' || Text[0] == 'v' || Text[0] == 'Z')
      api(T, Text);
    if (Last == "," &&
        (BeforeLast.starts_with("z") || BeforeLast.starts_with("o")) &&
        apiByName((BeforeLast + Text).str()))
      call(Macro);
  }

  void api(const TextToken &T, StringRef Text) {
    if (apiByName(Text)) {
      F.Api.push_back({T.Begin, T.End, Mention::Function});
      bool Accessed = Last == "." || (Last == ">" && BeforeLast == "-");
      if (LastIdentifier && Last != "return")
        PendingCall = true; // a member's declaration, if `;' follows
      else if (!Accessed)
        call(Macro);
    } else if (isApiType(Text)) {
      F.Api.push_back({T.Begin, T.End, Mention::Type});
      F.NamesType = true;
      Declaring = Names;
      if (!Macro.empty())
        F.Candidates.push_back({Macro.str(), false, true});
    } else if (Text.starts_with("ZONE_")) {
      F.Api.push_back({T.Begin, T.End, Mention::Flag});
    }
  }

  void call(StringRef InMacro) {
    (InMacro.empty() ? F.CallsApi : F.MacroCalls) = true;
    if (!InMacro.empty())
      F.Candidates.push_back({InMacro.str(), false, true});
  }

  void directive(const TextToken &T, StringRef Text) {
    if (Last == "define" && BeforeLast == "#") {
      Macro = Text;
      Parameters.clear();
      InParameters = Source.substr(T.End).starts_with("(");
    } else if (InParameters && T.Kind == TextToken::Identifier) {
      Parameters.push_back(Text);
    } else if (Text == ")") {
      InParameters = false;
    } else if (Text == "#" && Last == "#" && !Macro.empty()) {
      if (startsIdentifier(BeforeLast) && !AfterPaste &&
          !llvm::is_contained(Parameters, BeforeLast))
        F.Pastes.push_back({Macro.str(), BeforeLast.str()});
    } else if (Text == "include" && Last == "#") {
      include(T.End);
    } else if (Last == "include" && BeforeLast == "#" &&
               T.Kind == TextToken::Identifier) {
      F.ComputedInclude = true;
    }
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
      if (Text == "(")
        ++Parens;
      else if (Text == ")" && Parens)
        --Parens;
      if (Text == "{")
        ++Depth;
      else if (Text == "}" && Depth)
        --Depth;
      if (Text == ";" || Text == "}" || Text == "{") {
        Static = Extern = false;
        Begins = true;
        Parens = 0;
      }
    }
  }

  void include(size_t Offset) {
    StringRef Line =
        Source.substr(Offset).take_until([](char C) { return C == '\n'; });
    Line = Line.ltrim();
    bool Angled = Line.consume_front("<");
    if (!Angled && !Line.consume_front("\""))
      return;
    F.Includes.push_back(
        {Line.take_until([&](char C) { return C == (Angled ? '>' : '"'); })
             .str(),
         Angled});
  }

  void follow(const TextToken &T, StringRef Text) {
    if (Declaring == Nothing || isApiType(Text))
      return;
    bool Name = T.Kind == TextToken::Identifier;
    switch (Declaring) {
    case Names:
      if (Name && Text != "const" && Text != "volatile") {
        if (!Text.starts_with("__"))
          candidate(Text);
        Declaring = Text.starts_with("__") ? Names : AfterName;
      } else if (Text != "*" && Text != "(" && !Name) {
        Declaring = Nothing;
      }
      return;
    case AfterName:
      if (Text == ",")
        Declaring = AfterComma;
      else if (Text == ";" || Text == ")" || Text == "{" || Text == "=")
        Declaring = Nothing;
      return;
    case AfterComma:
      // `vm_zone_t a, b;` goes on; in `f(vm_zone_t z, int n)` a type follows.
      if (Pending.empty()) {
        if (Name)
          Pending = Text;
        else if (Text != "*")
          Declaring = Nothing;
        return;
      }
      if (!Name && Text != "*")
        candidate(Pending);
      Declaring = Text == "," ? AfterComma : Nothing;
      Pending = {};
      return;
    case Nothing:
      return;
    }
  }

  void candidate(StringRef Name) {
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
  std::vector<std::string> Search, Roots = {Absolute(Command.Filename)};
  const std::vector<std::string> &Args = Command.CommandLine;
  for (size_t I = 1; I < Args.size(); ++I)
    for (StringRef Option :
         {"-I", "-isystem", "-iquote", "-idirafter", "-include", "-imacros"}) {
      StringRef Value = Args[I];
      if (!Value.consume_front(Option))
        continue;
      if (Value.empty() && I + 1 < Args.size())
        Value = Args[++I];
      bool IsFile = Option == "-include" || Option == "-imacros";
      (IsFile ? Roots : Search).push_back(Absolute(Value));
      break;
    }
  std::unique_ptr<IncludeGraph> &Graph = Graphs[Search];
  if (!Graph)
    Graph = std::make_unique<IncludeGraph>(*this, Search);
  Closure Found;
  Graph->reach(Roots, Found);
  return Found;
}

/// Which file says which candidate's name, other than to declare it.
class TreeIndex::NameTable {
public:
  NameTable(TextStore &Store, std::vector<const FileIndex *> Indexed)
      : Store(Store), Indexed(std::move(Indexed)) {
    for (const FileIndex *F : this->Indexed)
      if (!isApiFile(F->Name))
        for (const FileIndex::Candidate &C : F->Candidates)
          declare(*F, C);
    for (const FileIndex *F : this->Indexed)
      for (const FileIndex::Paste &P : F->Pastes)
        if (beginsApi(P.Front))
          declare(*F, {P.Macro, false, true});
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
      if (F->ComputedInclude || (F->CallsApi && !isApiFile(F->Name)))
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
    return !F.CallsApi && !F.NamesType && F.TypeNames.empty() && !Says.count(&F);
  }

private:
  void declare(const FileIndex &F, const FileIndex::Candidate &C) {
    if (!C.InMacro)
      ++Declared[{&F, C.Name}];
    Declares[&F].insert(C.Name);
    if (C.Linked)
      Linked.insert(C.Name);
    if (Known.insert(C.Name).second)
      Fresh.insert(C.Name);
  }

  void carry(const FileIndex &F, const std::string &Name,
             const std::string &Macro) {
    Carries[&F].insert({Name, Macro});
    if (Known.insert(Macro).second)
      Fresh.insert(Macro);
  }

  static bool beginsApi(StringRef Front) {
    for (unsigned I = 0; I <= static_cast<unsigned>(Api::ObjcacheSetClusterLimit);
         ++I)
      if (StringRef(apiName(static_cast<Api>(I))).starts_with(Front))
        return true;
    return false;
  }

  void look(const FileIndex &F, const std::set<std::string> &Names) {
    for (const FileIndex::Paste &P : F.Pastes)
      if (auto It = Names.lower_bound(P.Front);
          It != Names.end() && StringRef(*It).starts_with(P.Front))
        for (; It != Names.end() && StringRef(*It).starts_with(P.Front); ++It)
          carry(F, *It, P.Macro);
    if (llvm::none_of(Names, [&](const std::string &N) {
          return F.mayName(N);
        }))
      return;
    const FileText *Text = Store.get(F.Name);
    if (!Text || isApiFile(F.Name))
      return;
    std::map<std::string, unsigned> Outside;
    std::map<std::string, std::set<std::string>> Inside; ///< macro -> names
    const std::vector<TextToken> &Tokens = Text->tokens();
    StringRef Macro;
    for (size_t I = 0; I < Tokens.size(); ++I) {
      if (Tokens[I].LineStart)
        Macro = {};
      if (Tokens[I].Kind != TextToken::Identifier)
        continue;
      StringRef Word = Text->text(Tokens[I]);
      if (Tokens[I].Directive && Text->is(I - 1, "define") &&
          Text->is(I - 2, "#")) {
        Macro = Word;
        continue;
      }
      if (!Names.count(Word.str()))
        continue;
      if (Macro.empty())
        ++Outside[Word.str()];
      else
        Inside[Macro.str()].insert(Word.str());
    }
    for (const auto &[Name, Times] : Outside)
      if (Times > declarations(F, Name))
        Says[&F][Name] = false;
    for (const auto &[Macro, Words] : Inside)
      for (const std::string &Name : Words) {
        Says[&F].try_emplace(Name, true);
        carry(F, Name, Macro);
      }
  }

  unsigned declarations(const FileIndex &F, const std::string &Name) const {
    auto It = Declared.find({&F, Name});
    return It == Declared.end() ? 0 : It->second;
  }

  TextStore &Store;
  const std::vector<const FileIndex *> Indexed;
  std::set<std::string> Known, Fresh, Linked;
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
  NameTable Names(Store, std::move(Indexed));
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
