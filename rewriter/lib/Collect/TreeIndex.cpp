/* SPDX-License-Identifier: BSD-3-Clause */
//===- TreeIndex.cpp - Which files can matter, from their text ------------===//

#include "TreeIndex.h"
#include "NameTable.h"
#include "kmobj/Cache.h"
#include "clang/Driver/Driver.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ThreadPool.h"

using namespace kmobj;
using llvm::StringRef;
namespace path = llvm::sys::path;

TreeIndex::TreeIndex(TextStore &Store,
                     llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS)
    : Store(Store), FS(std::move(FS)) {}

/// Whatever is linked into a kernel may name a zone that the linker sees, and
/// a unit may include a file of any name: these are the usual ones.
static bool isSource(StringRef Path) {
  return llvm::StringSwitch<bool>(path::extension(Path))
      .Cases(".c", ".h", ".inc", ".def", ".m", ".y", ".l", true)
      .Cases(".S", ".s", ".C", ".cc", ".cpp", ".cxx", true)
      .Cases(".H", ".hh", ".hpp", ".hxx", true)
      .Default(false);
}

/// The source files below the tree. Links to directories are not followed: what
/// they lead to is in the tree, or is none of it.
std::vector<std::string> TreeIndex::findFiles() {
  std::vector<std::string> Paths, Directories = {Store.tree()};
  while (!Directories.empty()) {
    std::string Directory = std::move(Directories.back());
    Directories.pop_back();
    std::error_code EC;
    llvm::vfs::directory_iterator It = FS->dir_begin(Directory, EC), End;
    for (; !EC && It != End; It.increment(EC)) {
      if (It->type() == llvm::sys::fs::file_type::directory_file)
        Directories.push_back(It->path().str());
      else if (isSource(It->path()))
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
  std::vector<std::shared_ptr<const FileIndex>> Found(Paths.size());
  std::vector<std::error_code> Errors(Paths.size());
  {
    llvm::DefaultThreadPool Pool(llvm::hardware_concurrency(Jobs));
    constexpr size_t Batch = 64;
    for (size_t First = 0; First < Paths.size(); First += Batch)
      Pool.async([&, First] {
        for (size_t I = First; I < std::min(First + Batch, Paths.size()); ++I)
          if (auto Buffer = FS->getBufferForFile(Store.absolute(Paths[I])))
            Found[I] = indexFile(Paths[I], (*Buffer)->getBuffer());
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
      It->second = indexFile(Name, (*Buffer)->getBuffer());
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
  /// Search: where "x" is looked for; <x> is, from the one at Angled on.
  IncludeGraph(TreeIndex &Index, std::vector<std::string> Search, size_t Angled)
      : Index(Index), Search(std::move(Search)), Angled(Angled) {}

  void reach(llvm::ArrayRef<std::string> Roots, Reach &Found) {
    ++Visit;
    std::vector<Node *> Work;
    auto Push = [&](Node *N) {
      if (N->File && N->Visited != Visit) {
        N->Visited = Visit;
        Work.push_back(N);
      }
    };
    for (const std::string &Root : Roots) {
      Node *N = node(Root);
      Found.Complete &= N->File != nullptr;
      Push(N);
    }
    llvm::DenseSet<const FileIndex *> Seen;
    llvm::BLAKE3 Shape, Contents;
    for (size_t W = 0; W < Work.size(); ++W) {
      if (Seen.insert(Work[W]->File).second)
        Found.Files.push_back(Work[W]->File);
      resolve(*Work[W]);
      Shape.update(Work[W]->Shape);
      Contents.update(Work[W]->Shape);
      Contents.update(Work[W]->File->Digest);
      for (Node *N : Work[W]->Includes)
        Push(N);
    }
    std::vector<Node *> Inner;
    for (Node *N : Work)
      llvm::append_range(Inner, N->InBody);
    Seen.clear();
    for (size_t W = 0; W < Inner.size(); ++W)
      if (Inner[W]->File && Seen.insert(Inner[W]->File).second) {
        Found.InBody.push_back(Inner[W]->File);
        llvm::append_range(Inner, Inner[W]->Includes);
      }
    Found.Shape = llvm::toStringRef(Shape.final<32>()).str();
    Found.Contents = llvm::toStringRef(Contents.final<32>()).str();
  }

private:
  /// A file by the path it is found by, which `#include "x"' starts from.
  struct Node {
    std::string Path;
    const FileIndex *File;
    bool Resolved = false;
    unsigned Visited = 0;
    std::vector<Node *> Includes, InBody;
    std::string Shape; ///< digest of where it is and what its #includes find
  };

  Node *node(StringRef Path) {
    std::unique_ptr<Node> &N = Nodes[Path];
    if (!N)
      N.reset(new Node{Path.str(), Index.file(Path), false, 0, {}, {}, {}});
    return N.get();
  }

  void resolve(Node &N) {
    if (N.Resolved)
      return;
    N.Resolved = true;
    KeyHasher Shape;
    Shape << N.Path << N.File->Name;
    for (const FileIndex::IncludeName &Inc : N.File->Includes) {
      Node *Found = find(N, Inc);
      Shape << Inc.Name << (Found ? StringRef(Found->Path) : StringRef());
      if (Found)
        N.Includes.push_back(Found);
      if (Found && Inc.InBody)
        N.InBody.push_back(Found);
    }
    N.Shape = Shape.key();
  }

  Node *find(const Node &From, const FileIndex::IncludeName &Inc) {
    if (path::is_absolute(Inc.Name))
      return node(Inc.Name);
    auto Try = [&](StringRef Directory) -> Node * {
      llvm::SmallString<256> P(Directory);
      path::append(P, Inc.Name);
      return Index.exists(P) ? node(P) : nullptr;
    };
    if (!Inc.Angled)
      if (Node *Beside = Try(path::parent_path(From.Path)))
        return Beside;
    for (size_t I = Inc.Angled ? Angled : 0; I < Search.size(); ++I)
      if (Node *There = Try(Search[I]))
        return There;
    return nullptr;
  }

  TreeIndex &Index;
  std::vector<std::string> Search;
  size_t Angled;
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

const FileIndex *TreeIndex::known(StringRef Name) const {
  auto It = Files.find(Name.str());
  return It == Files.end() ? nullptr : It->second.get();
}

/// An option after which a unit reads what its text and the options that
/// reach() looks at say, and no more.
static bool isFamiliar(StringRef Option) {
  // They name files, or have their own idea of where to look.
  for (StringRef Other : {"-fplugin", "-fpass-plugin", "-fprofile", "-fmodule",
                          "-fembed", "-fsanitize-", "-fxray", "-fapinotes",
                          "-fms-compat",
                          "-Wp,", "-Wa,", "-Wl,", "-mllvm"})
    if (Option.starts_with(Other))
      return false;
  for (StringRef Known :
       {"-D", "-U", "-I", "-iquote", "-isystem", "-idirafter", "-include",
        "-imacros", "-f", "-m", "-W", "-O", "-g", "-std=", "--target="})
    if (Option.starts_with(Known))
      return true;
  return llvm::StringSwitch<bool>(Option)
      .Cases("-c", "-w", "-pipe", "-nostdinc", "-ansi", "-pedantic", true)
      .Cases("-x", "-target", "-arch", "-o", "-Xclang", "-undef", true)
      .Default(!Option.starts_with("-") && !Option.starts_with("@"));
}

TreeIndex::Reach
TreeIndex::reach(const clang::tooling::CompileCommand &Command) {
  auto Absolute = [&](StringRef P) {
    llvm::SmallString<256> A(P);
    if (!path::is_absolute(A)) {
      A = Command.Directory;
      path::append(A, P);
    }
    return A.str().str();
  };
  Reach Found;
  std::vector<std::string> Roots = {Absolute(Command.Filename)};
  std::map<StringRef, std::vector<std::string>> Directories;
  std::string Defines;
  bool OwnHeaders = true;
  const std::vector<std::string> &Args = Command.CommandLine;
  for (size_t I = 1; I < Args.size(); ++I) {
    Found.Complete &= isFamiliar(Args[I]);
    OwnHeaders &= Args[I] != "-nostdinc" && Args[I] != "-nobuiltininc";
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
  std::vector<std::string> Search = Directories["-iquote"];
  const size_t Angled = Search.size();
  for (StringRef Option : {"-I", "-isystem", "-idirafter"})
    llvm::append_range(Search, Directories[Option]);
  if (OwnHeaders)
    Search.push_back(clang::driver::Driver::GetResourcesPath(KMOBJ_CLANG) +
                     "/include");
  std::vector<std::string> Name = Search;
  Name.push_back(std::to_string(Angled));
  std::unique_ptr<IncludeGraph> &Graph = Graphs[Name];
  if (!Graph)
    Graph = std::make_unique<IncludeGraph>(*this, Search, Angled);
  if (!file(Roots.front())) {
    Found.Complete = false;
    return Found;
  }
  Graph->reach(Roots, Found);
  auto &[File, Text] = CommandLines[Defines];
  if (!File) {
    File = indexFile("/command line", Defines);
    Text = std::make_unique<FileText>(
        File->Name, llvm::MemoryBuffer::getMemBufferCopy(Defines));
  }
  Found.Files.push_back(File.get());
  for (const FileIndex *F : Found.Files) {
    Found.Complete &= !F->Opaque;
    for (const std::string &X : F->ComputedIncludes)
      for (const FileIndex *By : Found.Files)
        Found.Complete &= !By->mayName("#" + X);
  }
  return Found;
}

std::vector<bool> TreeIndex::matter(llvm::ArrayRef<Closure> Units) {
  std::vector<const FileIndex *> Indexed;
  for (const auto &[Name, File] : Files)
    if (File)
      Indexed.push_back(File.get());
  for (const auto &[Defines, Line] : CommandLines)
    Indexed.push_back(Line.first.get());
  const NameTable Names(Indexed,
                        [this](const FileIndex &F) { return text(F); });
  std::vector<bool> Result;
  for (const Closure &Unit : Units)
    Result.push_back(Names.matters(Unit));
  for (const auto &[Name, File] : Files)
    if (File && Names.isPlain(*File))
      Plain.insert(File.get());
  return Result;
}

void TreeIndex::findSizeNames() {
  for (const auto &[Name, File] : Files)
    if (File && !isApiFile(Name))
      SizeNames.insert(File->SizeNames.begin(), File->SizeNames.end());
}

bool TreeIndex::isPlain(StringRef Name) const {
  return Plain.count(known(Name));
}
