/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A conversion as a series that a maintainer can read and commit.
 *
 * Order.  The allocator first, in pieces; then what nothing else stands on, and
 * last what the machine cannot do without: leaf subsystems, the kernel's own
 * caches, those that meet in one place (mbufs), the zones of the VM.  So a
 * mistake shows before it is dangerous, and whoever stops half-way has a kernel
 * that works.  The files that nobody needs any more go at the end.  The place
 * of a patch follows from what the plan knows of its zones (Order.cpp).
 *
 * Messages.  Above the "---" of a mail stands what the log keeps: how it was,
 * how it is, what it costs, what a user sees.  Below stands what the reviewer
 * needs today: what to check, and each place in both trees.  All of it follows
 * from the plan; nothing is said that kmobj does not know.
 *
 * The same input gives the same bytes: there is no time of now in it.
 */
#ifndef KMOBJ_SERIES_H
#define KMOBJ_SERIES_H

#include "kmobj/Change.h"
#include "kmobj/Facts.h"
#include "kmobj/Plan.h"
#include "clang/Tooling/CompilationDatabase.h"

namespace kmobj {

/// A file outside the kernel that names an old allocator, or what is of it.
struct Reader {
  std::string File; ///< from the name of the directory that was searched
  std::string Name; ///< what it names: _zlist, vm_zone, objcache...
  std::vector<unsigned> Lines;
  bool Includes = false; ///< the old allocator's header

  bool ofZones() const; ///< else of object caches
  /// "usr.bin/vmstat/vmstat.c:75,262: _zlist"
  std::string str() const;
};

/// Searches the directories, but not the kernel's tree, a real path.
llvm::Expected<std::vector<Reader>>
findReaders(llvm::ArrayRef<std::string> Directories, llvm::StringRef Tree);

struct SeriesOptions {
  std::string Shims; ///< where the shims lie
  bool Install = true;
  bool Searched = false; ///< for readers outside the kernel
  std::vector<Reader> Readers;
};

/// The patches of a conversion and what the files are after each.
struct Series {
  std::vector<Patch> Patches;
  std::vector<FileSet> States;

  FileSet after() const { return States.empty() ? FileSet() : States.back(); }
  /// The files that go.
  std::vector<std::string> gone() const;
  /// What is written beside the tree, as it is in the end.
  std::vector<OutsideFile> outside() const;
};

/// All of the conversion that P says, but for the removals. DB: to find the
/// places of the hooks; may be null where nothing is to be installed. May
/// refuse entries in P.
llvm::Expected<Series> makeSeries(const SourceTree &Tree, const Facts &F,
                                  Plan &P,
                                  const clang::tooling::CompilationDatabase *DB,
                                  const SeriesOptions &Options);

/// Removes the allocators that P leaves nothing to serve.
llvm::Error addRemovals(Series &S, const SourceTree &Tree, const Plan &P,
                        const SeriesOptions &Options);

/// Where in the series the patches of the plan's entries come.
class SeriesOrder {
public:
  /// Allocator: the text of what is installed.
  SeriesOrder(const Plan &P, llvm::StringRef Allocator);

  enum Stage {
    Leaf,    ///< a driver, a protocol, a file system
    Kernel,  ///< the kernel's own
    Meeting, ///< the kernel's own, several in one variable or macro
    Core     ///< the VM, the machine, what the allocator itself stands on
  };
  Stage stage(const PlanEntry &E) const;
  unsigned rank(llvm::ArrayRef<const PlanEntry *> Entries) const;

private:
  std::vector<std::string> MeetingFiles;
  std::vector<std::string> AllocatorUses; ///< tags of structures
};

/// What the tree's log calls the part of it that a file belongs to.
std::string area(llvm::StringRef File);

/// What the objects of E are called: "struct swblock", else its name.
std::string objectName(const PlanEntry &E);

/// The step that creates E; null: none does.
const Step *creation(const PlanEntry &E);
/// Does a constructor or a destructor run?
bool isConstructed(const PlanEntry &E);

/// How much can go wrong with it, by what the old allocator promised.
enum class Risk { Low, Middle, High };
Risk riskOf(const PlanEntry &E);
/// The same in words: "page-out depends on it, allocates before malloc_init()".
std::string riskText(const PlanEntry &E);

/// Bytes that an object took and takes, for each size that it has in some
/// configuration.
struct ObjectCost {
  uint64_t Size, Old, New, Alignment, PerSlab;
  bool OfKmalloc;             ///< too large for a slab to be worth it
  std::string Configurations; ///< empty: all
};
std::vector<ObjectCost> objectCosts(const PlanEntry &E);

/// Subject and body of the patch that converts P.Zones of Of.
void describe(Patch &P, const Plan &Of);

/// For the reviewer: what to check, and each place before the series and behind
/// it. All: every patch of the series.
llvm::Error annotate(llvm::MutableArrayRef<Patch> All, const Plan &Of,
                     const SourceTree &Tree);

/// What the mails say besides.
struct MailOptions {
  std::string Author;                      ///< Name <mail>
  std::string Date;                        ///< of a mail's header; empty: none
  std::string Command;                     ///< that made the series
  std::vector<std::string> Configurations; ///< in which it was tried
  std::string Prefix = "sys/";             ///< before the paths of the tree
};

/// The mails of the series, by file name: a cover letter, and a patch each.
llvm::Expected<FileSet> formatMails(const SourceTree &Tree, const Series &S,
                                    const Plan &P, const Facts &F,
                                    const SeriesOptions &Made,
                                    const MailOptions &Options);

/// "kmobj 1.0, LLVM 19.1.7"
std::string programName();

} // namespace kmobj

#endif
