/* SPDX-License-Identifier: BSD-3-Clause */
//===- TreeIndex.cpp - Which files can matter, from their text ------------===//

#include "TreeIndex.h"
#include "NameTable.h"
#include "llvm/ADT/DenseSet.h"
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

bool TreeIndex::isPlain(StringRef Name) const {
  auto It = Files.find(Name.str());
  return It != Files.end() && Plain.count(It->second.get());
}
