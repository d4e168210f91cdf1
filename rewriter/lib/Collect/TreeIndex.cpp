/* SPDX-License-Identifier: BSD-3-Clause */
//===- TreeIndex.cpp - Which files can matter, from their text ------------===//

#include "TreeIndex.h"
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

/// Follows the tokens of one file.
class Indexer {
public:
  Indexer(FileIndex &F, StringRef Source) : F(F), Source(Source) {
    F.Filter.resize(llvm::PowerOf2Ceil(Source.size() / 128 + 1));
  }

  void operator()(const TextToken &T) {
    StringRef Text = Source.slice(T.Begin, T.End);
    if (T.Kind == TextToken::Identifier)
      identifier(T, Text);
    follow(T, Text);
    if (T.Directive)
      macro(T, Text);
    else if (T.Kind == TextToken::Punct)
      punctuator(Text);
    else if (Text == "static" || Text == "extern")
      (Text == "static" ? Static : Extern) = true;
    BeforeLast = Last;
    Last = Text;
    LastEnd = T.End;
  }

  /// Members were told from variables by braces: these must match.
  void finish() {
    if (Depth == 0 && !Unmatched)
      return;
    for (FileIndex::Candidate &C : F.Candidates)
      if (C.Where == FileIndex::Candidate::Member)
        C.Where = FileIndex::Candidate::Global;
  }

private:
  FileIndex &F;
  StringRef Source, Last, BeforeLast;
  uint32_t LastEnd = 0;
  unsigned Depth = 0, Brackets = 0;
  bool Unmatched = false;
  bool Static = false, Extern = false;
  llvm::StringSet<> Seen;
  /// Of the macro that is being defined.
  llvm::StringSet<> Parameters;
  bool InParameters = false, AfterDefine = false;
  bool IsParameter = false; ///< what is being declared, of a function
  /// Following `vm_zone_t` or `struct objcache`: names come.
  enum { Nothing, Names, AfterName, AfterComma } Declaring = Nothing;
  StringRef Pending;

  void punctuator(StringRef Text) {
    if (Text == "(" || Text == ")") {
      Brackets = Text == "(" ? Brackets + 1 : Brackets - (Brackets > 0);
      return;
    }
    if (Text == "{") {
      ++Depth;
    } else if (Text == "}") {
      Unmatched |= Depth == 0;
      Depth -= Depth > 0;
    }
    if (Text == ";" || Text == "}" || Text == "{") {
      Static = Extern = false;
      Brackets = 0;
    }
  }

  void macro(const TextToken &T, StringRef Text) {
    if (T.LineStart)
      Parameters.clear();
    if (InParameters) {
      if (T.Kind == TextToken::Identifier)
        Parameters.insert(Text);
      InParameters = Text != ")";
    } else if (Text == "(" && AfterDefine && T.Begin == LastEnd) {
      InParameters = true;
    }
    AfterDefine = Last == "define" && BeforeLast == "#";
  }

  void identifier(const TextToken &T, StringRef Text) {
    auto [A, B] = bloomBits(Text, F.Filter.size());
    F.Filter[A / 64] |= 1ull << (A % 64);
    F.Filter[B / 64] |= 1ull << (B % 64);
    if (Text.starts_with("M_") && Seen.insert(Text).second)
      F.TypeNames.push_back(Text.str());
    if (T.Directive && Last == "include" && BeforeLast == "#")
      F.ComputedInclude = true;
    if (Text[0] == 'z' || Text[0] == 'o' || Text[0] == 'v' || Text[0] == 'Z')
      api(T, Text);
    if (T.Directive && Text == "include" && Last == "#")
      include(T.End);
  }

  void api(const TextToken &T, StringRef Text) {
    if (apiByName(Text)) {
      F.Api.push_back({T.Begin, T.End, Mention::Function});
      F.CallsApi = true;
    } else if (isApiType(Text)) {
      F.Api.push_back({T.Begin, T.End, Mention::Type});
      F.NamesType = true;
      Declaring = Names;
      IsParameter = !T.Directive && Brackets > 0 && Depth == 0;
    } else if (Text.starts_with("ZONE_")) {
      F.Api.push_back({T.Begin, T.End, Mention::Flag});
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
      if (!Name)
        candidate(Pending);
      Declaring = Text == "," ? AfterComma : Nothing;
      Pending = {};
      return;
    case Nothing:
      return;
    }
  }

  void candidate(StringRef Name) {
    FileIndex::Candidate C{Name.str(), FileIndex::Candidate::Global};
    if (IsParameter || Parameters.count(Name) ||
        (!F.Header && (Static || Depth > 0)))
      C.Where = FileIndex::Candidate::Local;
    else if (Depth > 0 && !Extern)
      C.Where = FileIndex::Candidate::Member;
    F.Candidates.push_back(std::move(C));
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

void TreeIndex::scanTree(unsigned Jobs) {
  std::vector<std::string> Paths;
  std::error_code EC;
  for (llvm::vfs::recursive_directory_iterator It(*FS, Store.tree(), EC), End;
       !EC && It != End; It.increment(EC)) {
    StringRef Extension = path::extension(It->path());
    if (Extension != ".c" && Extension != ".h")
      continue;
    // A link is indexed under the name of what it points to.
    std::string Name = Store.name(It->path());
    if (Files.try_emplace(Name).second)
      Paths.push_back(Name);
  }
  std::vector<std::unique_ptr<FileIndex>> Found(Paths.size());
  {
    llvm::DefaultThreadPool Pool(llvm::hardware_concurrency(Jobs));
    constexpr size_t Batch = 64;
    for (size_t First = 0; First < Paths.size(); First += Batch)
      Pool.async([&, First] {
        for (size_t I = First; I < std::min(First + Batch, Paths.size()); ++I)
          if (auto Buffer = FS->getBufferForFile(Store.absolute(Paths[I])))
            Found[I] = std::make_unique<FileIndex>(
                indexFile(Paths[I], (*Buffer)->getBuffer()));
      });
    Pool.wait();
  }
  for (size_t I = 0; I < Paths.size(); ++I) {
    if (!Found[I])
      continue;
    if (!isApiFile(Paths[I]))
      for (const FileIndex::Candidate &C : Found[I]->Candidates)
        if (C.Where != FileIndex::Candidate::Local)
          (C.Where == FileIndex::Candidate::Global ? Global : Members)
              .insert(C.Name);
    Files[Paths[I]] = std::move(Found[I]);
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

std::vector<const FileIndex *>
TreeIndex::closure(const clang::tooling::CompileCommand &Command) {
  auto Absolute = [&](StringRef P) {
    llvm::SmallString<256> A(P);
    if (!path::is_absolute(A)) {
      A = Command.Directory;
      path::append(A, P);
    }
    return A.str().str();
  };
  std::vector<std::string> Search, Work;
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
      (IsFile ? Work : Search).push_back(Absolute(Value));
      break;
    }
  Work.push_back(Absolute(Command.Filename));
  std::reverse(Work.begin(), Work.end());

  std::vector<const FileIndex *> Closure;
  std::set<const FileIndex *> Seen;
  for (size_t W = 0; W < Work.size(); ++W) {
    const FileIndex *F = file(Work[W]);
    if (!F || !Seen.insert(F).second)
      continue;
    Closure.push_back(F);
    for (const FileIndex::IncludeName &Inc : F->Includes) {
      if (path::is_absolute(Inc.Name)) {
        Work.push_back(Inc.Name);
        continue;
      }
      auto Try = [&](StringRef Dir) {
        llvm::SmallString<256> P(Dir);
        path::append(P, Inc.Name);
        if (!exists(P))
          return false;
        Work.push_back(P.str().str());
        return true;
      };
      if (!Inc.Angled && Try(path::parent_path(Work[W])))
        continue;
      for (const std::string &Dir : Search)
        if (Try(Dir))
          break;
    }
  }
  return Closure;
}

/// The name of a zone or cache, or a member's where it is accessed.
bool TreeIndex::isForeign(const FileText &Text, size_t Index) const {
  const TextToken &T = Text.tokens()[Index];
  if (T.Kind != TextToken::Identifier)
    return false;
  std::string Name = Text.text(T).str();
  if (Global.count(Name))
    return true;
  if (!Members.count(Name))
    return false;
  if (Text.is(Index - 1, ".") ||
      (Text.is(Index - 1, ">") && Text.is(Index - 2, "-")))
    return true;
  // offsetof(struct foo, member)
  for (size_t I = Index; I > 0 && I + 8 > Index; --I)
    if (Text.text(Text.tokens()[I - 1]).contains("offsetof"))
      return true;
  return false;
}

/// F has the name of a zone or cache at a place that is not its declaration.
bool TreeIndex::namesOthers(const FileIndex &F) {
  auto [It, New] = NamesForeign.try_emplace(&F, false);
  if (!New)
    return It->second;
  bool Found = false;
  for (const std::set<std::string> *Names : {&Global, &Members})
    for (const std::string &Name : *Names)
      Found = Found || F.mayName(Name);
  if (!Found)
    return false;
  const FileText *Text = Store.get(F.Name);
  if (!Text)
    return false;
  std::map<StringRef, int> Count;
  for (size_t I = 0; I < Text->tokens().size(); ++I)
    if (isForeign(*Text, I))
      ++Count[Text->text(Text->tokens()[I])];
  for (const FileIndex::Candidate &C : F.Candidates)
    if (auto C2 = Count.find(C.Name); C2 != Count.end() && Global.count(C.Name))
      --C2->second;
  for (auto &[Name, N] : Count)
    It->second = It->second || N > 0;
  return It->second;
}

bool TreeIndex::matters(llvm::ArrayRef<const FileIndex *> Closure) {
  if (Closure.empty())
    return true;
  const FileIndex &Unit = *Closure.front();
  if (Unit.CallsApi || Unit.NamesType || namesOthers(Unit))
    return true;
  for (const FileIndex *F : Closure) {
    if (F->ComputedInclude)
      return true;
    if (!isApiFile(F->Name) && (F->CallsApi || namesOthers(*F)))
      return true;
  }
  return false;
}
