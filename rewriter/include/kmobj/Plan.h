/* SPDX-License-Identifier: BSD-3-Clause */
//===- Plan.h - Facts in, one decision a zone out -------------------------===//
//
// A zone or cache is converted only if every one of its sites can be; otherwise
// it is refused as a whole, with each reason and its line. The plan says for
// every site what is to be done there, so that the edit stage only has to look
// up text and replace it.
//
// The plan file (YAML) is the part of a plan that a person reads and may edit:
// decision, type, reserve, bootstrap, and flags of a site. Reading one lays the
// edits over the plan made from the facts and rejects what does not fit.
//
// A plan outlives the tree that it was made from. A zone is known by its
// variable (a static one by its file as well, a member by its structure), a
// site by its zone, function, call and ordinal among those; lines are for
// reading. The file keeps what kmobj itself had decided (`planned'), so that an
// edit is told from what was merely planned for an older tree. What the file
// does not name is not converted.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_PLAN_H
#define KMOBJ_PLAN_H

#include "kmobj/Facts.h"
#include "llvm/Support/MemoryBufferRef.h"
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace kmobj {

/// A sentence about a line.
struct Remark {
  Span Where; ///< may be invalid: about the zone as a whole
  std::string Text;
  /// "vm/swap_pager.c:441: text"
  std::string str() const;
};

/// What to do at one place.
enum class Action {
  Alloc,      ///< zalloc, objcache_get
  Free,       ///< zfree, objcache_put; objcache_dtor on a plain type
  FreeDtor,   ///< objcache_dtor on a constructed type
  BootInit,   ///< zbootinit
  Create,     ///< zinit, zinitna, objcache_create*
  Destroy,    ///< zdestroy, objcache_destroy
  Remove,     ///< the statement goes: z = &store, store.zflags |= F, dead check
  Resize,     ///< kmem_alloc's size argument of the boot items
  TestNull,   ///< dynamic: `z == NULL` becomes `z_obj == NULL`
  AssignNull, ///< dynamic: `z = NULL` becomes `z_obj = NULL`
  SetLimit,   ///< objcache_set_cluster_limit
  Reclaim,    ///< objcache_reclaimlist
  Name,       ///< the zone as a value: passed, assigned, listed
  Rewrite,    ///< Replace becomes Text
};
llvm::StringRef actionName(Action A);

/// One place to change. Where sites in inactive code are changed by their
/// spelling, Textual is set and Site is empty.
struct Step {
  Action Do = Action::Alloc;
  /// The site's identity: Site::Name.id(), for a person as well. For steps that
  /// are no site (Remove, Resize, tests) that of Replace.
  std::string At;
  std::string Call; ///< the old function's name, or what stands there
  /// The function it is in, or the file where that is not known; and which of
  /// the entry's steps there, of those with this Call, it is (from 1).
  std::string Function;
  unsigned Ordinal = 0;
  /// What the new text takes the place of: the call for Alloc and Free, the
  /// statement (or loop, or if) for others, the size argument for Resize, the
  /// test or assignment for TestNull and AssignNull.
  Span Replace;
  /// Resize: the statement with the allocation. It goes as a whole, and the
  /// items' variable with it, when the entry is converted without Bootstrap.
  Span Statement;
  /// Further statements that go: dead NULL checks.
  std::vector<Span> AlsoRemove;
  /// The step stands in inactive code and is known by its spelling only.
  bool Textual = false;
  /// The type is what ZoneText names, not the entry's: a carrier, or the
  /// parameter of a macro.
  bool Carried = false;
  std::string Size;  ///< Carried allocation of a plain type: its size
  bool Bare = false; ///< Name: the type's name without `_obj`
  std::string Text;  ///< Rewrite

  // Alloc.
  std::string Flags;    ///< M_INTNOWAIT; a person may edit it
  std::string Pointer;  ///< Free: text of the object's expression
  std::string ZoneText; ///< as written at the site

  // Create (a plain type): kmalloc_obj_reserve(M_X, <reserve>, Objects);
  // without a reserve kmalloc_obj_raise_limit(M_X, Limit).
  bool RaiseLimit = false;
  std::string Limit = "0";
  bool CallReserve = false;
  std::string Objects = "0";
  bool Retries = false; ///< the old creation was tried again with fewer
  // Create (a plain type in a cache's place): kmalloc_obj_cache(M_X).
  bool CallCache = false;
  // Create (constructed): kmalloc_obj_ctor(M_X, Ctor, Dtor, Private, MaxOut,
  // Nominal).
  // SetLimit: kmalloc_obj_set_limit(M_X, MaxOut).
  bool CallCtor = false;
  std::string Ctor = "NULL", Dtor = "NULL", Private = "NULL", MaxOut = "0";
  std::string Nominal = "0";
  // Create (dynamic): kmalloc_create_obj(&z, Name, Size) first.
  bool CallCreate = false;
  std::string Name; ///< the description's text, quotes included

  // BootInit: kmalloc_obj_bootinit(M_X, Memory, Bytes). Resize: Bytes.
  std::string Memory, Bytes;

  std::vector<Remark> Notes;
};

/// How the type comes into being.
enum class TypeForm {
  Define,   ///< MALLOC_DEFINE_OBJ in place of the variable's definition
  Redefine, ///< an existing MALLOC_DEFINE becomes MALLOC_DEFINE_OBJ in place
  Dynamic,  ///< struct malloc_type *z_obj
  None      ///< nobody allocates from it: it goes, and nothing takes its place
};

struct PlanEntry {
  std::string Key;       ///< of the zone or cache variable
  std::string Variable;  ///< its name: swap_zone
  std::string Name;      ///< its string: SWAPMETA; empty when it has none
  bool IsZone = true;    ///< else an object cache
  std::string Of;        ///< structure of a member, function of a local
  bool External = false; ///< variable with external linkage
  Span Where;            ///< definition, else creation

  bool Convert = false;     ///< the decision in force
  bool Convertible = false; ///< every site can be; a person cannot change that
  bool Named = true;        ///< false: the plan file in force does not have it
  /// What kmobj itself decides and a person may edit, as in the plan file.
  std::vector<std::string> Planned;
  bool AlreadyDone = false;    ///< nothing left to convert (kept out of files)
  std::vector<Remark> Reasons; ///< why it is not convertible
  /// Why a trial of the conversion refused it, which no fact says.
  std::string Tried;
  std::vector<Remark> Notes; ///< what a person should look at

  TypeForm Form = TypeForm::Define;
  std::string Type;                ///< M_SWAPMETA; Dynamic: the variable's name
  std::string ShortText, LongText; ///< MALLOC_DEFINE_OBJ's strings, with quotes
  std::string SizeText;            ///< sizeof(struct swblock)
  uint64_t Size = 0;               ///< the largest of Sizes
  Evaluations Sizes;               ///< what SizeText is in each configuration
  bool Constructed = false;        ///< kmalloc_cobj
  std::string Cached; ///< cache: how many objects it was to keep, as written
  bool Static = true; ///< MALLOC_DEFINE_OBJ gets `static`
  std::string MallocDefine; ///< Redefine: key of the MallocDefine
  std::string OldType; ///< cache: key of the malloc type that it was made with
  /// That type served caches only, and becomes this one's if they all are
  /// converted. Else this is what it is called.
  std::string Inherits;
  /// What it is called with that type, and without.
  struct Names {
    std::string Type, ShortText, LongText;
    bool Static = true;
  };
  Names Inherited, Own;
  /// A person named the type, or described it.
  bool TypeByHand = false, ShortByHand = false, LongByHand = false;
  /// Entries that have the same here are one patch.
  std::string Patch;
  std::string ArgsVariable; ///< cache: objcache_malloc_args that goes with it

  unsigned Reserve = 3;    ///< slabs; 0 with WantReserve: only "fresh is zero"
  bool WantReserve = true; ///< kmalloc_obj_reserve is called (by steps with
                           ///< CallReserve)
  bool Bootstrap = false;  ///< booted: bootinit, BOOTSLABS, bootbytes
  bool HasBootstrap = false; ///< it has boot items at all
  bool Blocking = false;     ///< zone without reserve or interrupt promises

  /// Zone's flags over all creations, as ZONE_* bits.
  uint32_t ZoneFlags = 0;
  /// zbootinit's items: key of the variable, its count and whether it becomes
  /// KMALLOC_OBJ_BOOTSLABS (static array) or stays (kmem_alloc).
  std::string Items, ItemsCount;
  Evaluations ItemsCounts; ///< static array: what ItemsCount is
  bool ItemsStatic = false;

  /// Zones that meet in a carrier or in a macro are converted together or not
  /// at all: the key of the first of them; empty when it stands alone. The
  /// first one's entry has the carriers and the steps about them.
  std::string Group;
  std::vector<std::string> Carriers; ///< keys
  /// Declared, created and its malloc type defined by one macro, whose body
  /// the group's first entry changes.
  bool InPool = false;

  std::vector<Step> Steps; ///< by place

  unsigned Sites = 0; ///< calls of the old API, whether steps deal with them

  /// Any of the shims' names appear in what is written for this entry.
  bool needsShims() const;
  /// A zone that may be asked before malloc_init(), in an interrupt, or by the
  /// VM itself.
  bool isPromised() const {
    return HasBootstrap ||
           (IsZone &&
            ZoneFlags & (ZONE_INTERRUPT | ZONE_SPECIAL | ZONE_USE_RESERVE));
  }
  /// A trial of the conversion has refused it, for these reasons.
  void refuseTried(llvm::ArrayRef<Remark> Why);
  /// Takes that back.
  void retry();
  /// Does the creation S raise the type's limit itself? A reserve does so.
  bool raisesLimit(const Step &S) const {
    return S.RaiseLimit && !(S.CallReserve && WantReserve);
  }
};

/// One of the old allocators, and its files.
struct OldAllocator {
  llvm::StringLiteral Name, Source, Header;
};
constexpr OldAllocator Zalloc{"zalloc", "vm/vm_zone.c", "vm/vm_zone.h"};
constexpr OldAllocator Objcache{"objcache", "kern/kern_objcache.c",
                                "sys/objcache.h"};

/// What nothing needs once all of some entries are converted.
struct Leftover {
  std::vector<std::string> Of;        ///< the entries' keys, sorted
  std::vector<Span> Statements;       ///< in functions
  std::vector<Span> Text;             ///< definitions at file scope, whole
  std::vector<std::string> Variables; ///< keys: their declarations go
  std::string MallocDefine;           ///< key: it goes, with its declarations
  std::string Heir;                   ///< key: the entry that Inherits
  std::string What;                   ///< in words
  bool Goes = false;                  ///< all of them are converted
};

struct Plan {
  bool Naive = false;
  /// A negative control: edits may take away what the old allocator promised.
  bool Control = false;
  std::vector<PlanEntry> Entries; ///< by place of definition
  std::vector<Leftover> Leftovers;
  /// About the tree, not about one zone: units that failed, calls whose zone
  /// nobody knows, files outside the database.
  std::vector<Remark> Remarks;
  /// Units that would not compile without the old header which they seem to
  /// include for nothing.
  std::set<std::string> KeepIncludes;
  /// What is new, gone or changed since the plan file in force was made.
  std::vector<std::string> Moved;
  /// Sites that belong to no entry.
  unsigned StraySites = 0;
  /// No zone (cache) and no unexplained mention would be left: vm_zone.c
  /// (kern_objcache.c) can be taken out of conf/files.
  bool DropZone = false, DropObjcache = false;
  /// Is File of an allocator that can go?
  bool drops(llvm::StringRef File) const;

  const PlanEntry *entry(llvm::StringRef Key) const;
  bool needsShims() const;
  bool allConverted() const; ///< nothing refused, nothing stray
  /// Entry is not convertible after all, nor are those of its group.
  void refuse(const PlanEntry &Entry, const Remark &Why);
  /// Recomputes what follows from all decisions after one changed: which old
  /// malloc types are taken over, what is left over, DropZone, DropObjcache.
  void updateDrops();
  unsigned StrayZoneMentions = 0, StrayCacheMentions = 0;
};

struct PlanOptions {
  bool Naive = false;
  unsigned Reserve = 3;
};

Plan makePlan(const Facts &F, const PlanOptions &Options = {});

/// Stable order, ends in a newline.
std::string writePlan(const Plan &P);

/// Lays a plan file over P; what does not fit the tree any more is in P.Moved.
/// The error names the file, the line, and what was expected: a zone that is
/// not there, an unknown decision, a zone that cannot be converted, an edit
/// that would break what the old allocator promised.
llvm::Error applyPlanFile(Plan &P, const Facts &F, llvm::MemoryBufferRef File);

/// "SWAPMETA" -> "M_SWAPMETA", "MAP ENTRY" -> "M_MAP_ENTRY".
std::string typeName(llvm::StringRef ZoneName);

/// One line an entry and the closing summary, as the contract words them.
std::string report(const Plan &P);

/// Where a mention stands that no parsed unit explains, in words.
const char *stateText(Mention::StateTy State);

/// The largest object (bytes) of which a slab holds at least one.
uint64_t largestObject();

} // namespace kmobj

#endif // KMOBJ_PLAN_H
