/* SPDX-License-Identifier: BSD-3-Clause */
//===- Facts.h - What a kernel tree says about its zones and caches -------===//
//
// Facts are what the collect stage hands to the plan and edit stages: plain
// data, no clang type, with a JSON form that reads back to the same bytes.
// Whatever plan needs to decide and edit needs to change a file is in here, so
// that neither has to parse C.
//
// Vocabulary
//   variable   anything that holds a zone, a cache, or something one is made
//              of: a file-scope variable, a structure field, a local, a
//              parameter. Named by its *key* (see Variable::Key).
//   carrier    a local, a parameter or a local array that other zones or caches
//              are put into: it has what flows to it (Role::Carried) and is
//              created nowhere.
//   site       one call of the zone or object cache API.
//   use        one appearance of a variable's name, with the role it plays.
//              Every appearance is recorded; a role of Escape means that the
//              collector does not know what the code does with it.
//   mention    one appearance, in the text, of an API name or of the name of a
//              zone or cache, or of what one is made of. Mentions are found
//              without parsing, so they also cover inactive #if regions, files
//              outside the compile database and macros nobody expands. A
//              mention which no parsed unit explains is how nothing gets lost
//              in silence.
//   evaluation what an expression stands for in one configuration. A value that
//              is not the same in all of them is no value.
//
// Structure. Who changes text has to know how it stands in the text around it.
// That is said here, by who parsed it: see Statement and Directive. What is not
// said is not known, and is left alone.
//
// Locations. A Span is half open, in bytes, in the file as it lies on the disk,
// and always covers *spelled* text: for code out of a macro it points into the
// macro's definition (or into the macro argument where that is where it is
// written), never at the expansion. The expansion is in Provenance. File names
// are real paths (symbolic links resolved) relative to Facts::Tree, with '/';
// a file outside the tree keeps its absolute path.
//
// Order. Every vector is sorted (by file, then offset, then key), without
// duplicates, so the same tree gives the same bytes whatever the number of
// jobs or the order of the units.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_FACTS_H
#define KMOBJ_FACTS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace kmobj {

/// A half-open range of bytes in one file. Line and Column (from 1, bytes) are
/// those of Begin, for people. Empty File: no such range.
struct Span {
  std::string File;
  uint32_t Begin = 0;
  uint32_t End = 0;
  uint32_t Line = 0;
  uint32_t Column = 0;

  bool valid() const { return !File.empty(); }
  explicit operator bool() const { return valid(); }
  bool contains(const Span &Other) const {
    return File == Other.File && Begin <= Other.Begin && Other.End <= End;
  }
  bool contains(llvm::StringRef F, uint32_t Offset) const {
    return F == File && Begin <= Offset && Offset < End;
  }
  /// "vm/swap_pager.c:441"
  std::string lineRef() const;
  /// "vm/swap_pager.c:441:15"; names a site in a plan file.
  std::string id() const;

  friend bool operator==(const Span &A, const Span &B) {
    return std::tie(A.File, A.Begin, A.End) == std::tie(B.File, B.Begin, B.End);
  }
  friend bool operator<(const Span &A, const Span &B) {
    return std::tie(A.File, A.Begin, A.End) < std::tie(B.File, B.Begin, B.End);
  }
};

/// Where code comes from when a macro is between it and the compiler.
struct Provenance {
  enum KindTy {
    Plain,    ///< written where it stands
    Argument, ///< written as an argument of a macro; the text is in the caller
    Body,     ///< written in the body of a macro
    Pasted    ///< made by ## or otherwise without a text of its own
  };
  KindTy Kind = Plain;
  std::string Macro;            ///< Body: the macro whose body it is
  Span Definition;              ///< Body: from the macro's name to its end
  std::vector<Span> Expansions; ///< where outermost expansions stand
};

/// A directive as written: #include <vm/vm_zone.h>
struct Include {
  std::string Name;     ///< vm/vm_zone.h
  bool Angled = false;  ///< <...>
  std::string Resolved; ///< the file it found, like Span::File
  Span Line;            ///< from '#' to the end of the line, newline included
  bool Conditional = false; ///< inside #if other than the include guard
};

/// A preprocessor directive, whether or not a unit compiles it.
struct Directive {
  std::string Keyword; ///< if, ifdef, ifndef, elif, else, endif, define...
  Span Text;           ///< from '#' to the end of its last token
};

/// A file of the tree that some parsed unit read, or that mentions the API.
struct SourceFile {
  std::string Path;
  std::string Hash; ///< xxh3 of the contents, hex: edit checks it is the same
  bool Parsed = false;           ///< some parsed unit read it
  std::vector<Include> Includes; ///< only those in active code
  /// In order, of a file that mentions the API or what is followed.
  std::vector<Directive> Directives;
};

/// What an expression stands for in one configuration. A vector of them has one
/// for each configuration, or several where its units do not agree.
struct Evaluation {
  /// A number, NULL, a string with its quotes, the name of a variable or
  /// function; empty: the compiler cannot tell.
  std::string Text;
  std::string Configuration; ///< the compile database, as it was named
  std::string Unit;          ///< the first unit that has it so

  friend bool operator==(const Evaluation &A, const Evaluation &B) {
    return std::tie(A.Configuration, A.Text) ==
           std::tie(B.Configuration, B.Text);
  }
  friend bool operator<(const Evaluation &A, const Evaluation &B) {
    return std::tie(A.Configuration, A.Text) <
           std::tie(B.Configuration, B.Text);
  }
};
using Evaluations = std::vector<Evaluation>;

/// Where two evaluations are from: their configurations, or their units where
/// the configuration is the same.
std::pair<std::string, std::string> origins(const Evaluation &A,
                                            const Evaluation &B);
/// The first two of Of that differ: "0 in A and 1 in B"; else nothing.
std::string difference(const Evaluations &Of);

/// How a statement stands in the code around it. Every one that a step may take
/// out or replace has this.
struct Statement {
  Span Text; ///< with its ';'
  enum ContextTy {
    InBlock, ///< between others in a block: it may go, or become several
    AtLabel, ///< behind a label: a statement has to stay
    IsBody,  ///< of an if, else or loop without braces, in one configuration at
             ///< least: one statement has to stay
    Unknown  ///< it is the value of a statement expression, an else follows it
             ///< in another configuration, or a macro makes more of it
  };
  ContextTy Context = InBlock; ///< the worst of all units and configurations
  /// End of the token before it; 0: that is on a directive's line.
  uint32_t After = 0;
};

/// One entry of the compile database.
struct Unit {
  std::string Path;
  enum StateTy { Parsed, Skipped, Failed };
  StateTy State = Parsed; ///< Skipped: the text filter proved it has no site
  std::string FirstError; ///< Failed: "file:line:col: text"
  /// Failed: tree files it includes, by their text. Parsed, with an allocation
  /// in it: the files it read, under each set of flags.
  std::vector<std::string> Reads;
};

/// What a variable is for.
enum class VarKind {
  Zone,       ///< vm_zone_t z
  ZoneStore,  ///< struct vm_zone z_store
  Cache,      ///< struct objcache *oc
  CacheArgs,  ///< struct objcache_malloc_args args
  Items,      ///< array or pointer given to zbootinit as the first items
  MallocType, ///< struct malloc_type M_X[1]
  Plain,      ///< a local of another type, in a function that loses statements
};

/// Where a variable lives.
enum class VarScope { File, Field, Local, StaticLocal, Parameter };

/// One declaration of a variable.
struct Declaration {
  Span Statement;  ///< the whole declaration with its ';', storage class and
                   ///< attributes first; covers all declarators in it
  Span Declarator; ///< this declarator, with '*', [] and initialiser
  Span Name;
  Span Type;                ///< type specifier as written: `vm_zone_t`
  unsigned Declarators = 1; ///< how many the statement declares
  unsigned Index = 0;       ///< which of them this is
  bool Static = false;
  bool Extern = false;
  bool Definition = false;
  std::vector<std::string> Attributes; ///< spelled: `__read_mostly`
  /// Of a local or parameter: the function, where alone its name is known.
  Span Function;
  Span Init; ///< initialiser without '='
  std::string InitText;
  bool InitNull = false; ///< initialiser is NULL or 0
  std::string InitStore; ///< initialiser is `&store`: the store's key
  /// The name is an argument of a macro whose body holds the declaration, as in
  /// `#define POOL(p) struct objcache *p;`: the statement there.
  Span InBody;
  std::string BodyMacro;
  Provenance From;
};

/// Member of a brace initialiser or a later assignment `args.objsize = N;`.
struct ArgsMember {
  std::string Member; ///< objsize, mtype
  Span Text;          ///< the value as written
  std::string Spelling;
  std::optional<int64_t> Value; ///< the same in all configurations
  Evaluations Values;
  std::string Var; ///< mtype: key of the malloc_type it names
  Span Statement;  ///< assignment: the statement; else not valid
};

/// A variable and all its declarations, over all units.
struct Variable {
  /// External linkage: clang's USR. Internal: "file@name", with "@function"
  /// for locals and parameters. Field: the USR of the field.
  std::string Key;
  std::string Name;
  VarKind Kind = VarKind::Zone;
  VarScope Scope = VarScope::File;
  std::string Type;        ///< as spelled: "vm_zone_t", "struct vm_map_entry *"
  std::string ElementType; ///< Items: "struct vm_map_entry"
  bool IsArray = false;    ///< array of zones or caches; Items: static array
  bool IsPointer = false;  ///< Zone declared as `vm_zone_t *z`, and the like
  std::optional<uint64_t> Count; ///< arrays: number of elements
  Span CountText;                ///< arrays: what stands in []
  bool External = false;         ///< external linkage
  std::string Record;            ///< Field: the structure's name
  std::vector<Declaration> Declarations;
  std::vector<ArgsMember> Members; ///< CacheArgs
  bool MembersComplete = false;    ///< CacheArgs: every use is accounted for
};

/// MALLOC_DEFINE(M_X, "short", "long") and its like.
struct MallocDefine {
  std::string Key;   ///< of the variable M_X (or M_X_obj)
  std::string Name;  ///< M_X
  std::string Macro; ///< MALLOC_DEFINE, MALLOC_DEFINE_OBJ
  Span Statement;    ///< from `static` or the macro's name to the ';'
  Span Call;         ///< from the macro's name to ')'
  std::vector<Span> Args;
  std::vector<std::string> ArgTexts;
  bool Static = false;
  /// Written in the body of another macro, once: MALLOC_DEFINE(M_##p, s, l).
  Span InBody; ///< from the macro's name to ')'
  std::vector<std::string> BodyArgs;
  Provenance From;
};

/// An argument of a site.
struct Argument {
  Span Text;            ///< as written, without surrounding blanks
  std::string Spelling; ///< the same, runs of blanks made one
  /// Integer constant expression, the same in all configurations.
  std::optional<int64_t> Value;
  Evaluations Values;
  bool IsNull = false;    ///< a null pointer constant
  bool IsString = false;  ///< a string literal ...
  std::string String;     ///< ... and its contents
  std::string Var;        ///< key of the tracked variable that it names
  std::string VarName;    ///< name of any variable or function that it names
  /// A function whose body is known: how many bytes of its first argument it
  /// overwrites at once, at most. Empty when it does not, or it is not known.
  Evaluations Overwrites;
  bool AddressOf = false; ///< `&var`
  bool SizeOf = false;    ///< sizeof(...) alone
  /// Integers: it depends on variables (their names, sorted).
  std::vector<std::string> Variables;
  bool SideEffects = false;
};

/// A zone's flags in the facts, whatever numbers the tree has for the names.
enum ZoneFlag : uint32_t {
  ZONE_INTERRUPT = 0x01,
  ZONE_PANICFAIL = 0x02,
  ZONE_SPECIAL = 0x04,
  ZONE_USE_RESERVE = 0x20,
};

/// The API's functions. Order is that of the names in apiName().
enum class Api {
  Zinit,
  Zinitna,
  Zbootinit,
  Zalloc,
  Zfree,
  Zdestroy,
  ObjcacheCreate,
  ObjcacheCreateSimple,
  ObjcacheCreateMbacked,
  ObjcacheGet,
  ObjcachePut,
  ObjcacheDtor,
  ObjcacheDestroy,
  ObjcachePopulateLinear,
  ObjcacheReclaimlist,
  ObjcacheSetClusterLimit,
};
llvm::StringRef apiName(Api A);
std::optional<Api> apiByName(llvm::StringRef Name);
/// zinit, zinitna, zbootinit, objcache_create*.
bool isCreation(Api A);
/// zalloc, objcache_get.
bool isAllocation(Api A);
/// One of the zalloc family (else objcache).
bool isZoneApi(Api A);

/// `if (z == NULL) ...` about a zone, a cache or an allocation's result.
struct NullCheck {
  enum KindTy {
    Dead,  ///< directly after the creation: `if (z == NULL) panic(..);`
    Guard, ///< the creation is inside it: `if (z == NULL) z = zinit(..);`, or
           ///< the destruction: `if (z != NULL) zdestroy(z);`
    Other
  };
  KindTy Kind = Other;
  Span Statement;             ///< the whole if, with its else
  Span Condition;             ///< between the parentheses
  Span Test;                  ///< `z == NULL` itself
  std::string Body;           ///< text of what it does
  bool OnlyTest = false;      ///< the condition is this test and nothing else
  bool OnlyStatement = false; ///< Guard: the creation is all its body does; of
                              ///< a destruction: that, and setting it to NULL
  bool HasElse = false;
  std::string Label; ///< it does no more than jump there
};

/// do { z = zinit(..); if (z != NULL) break; n -= ..; } while (n > 0);
struct RetryLoop {
  Span Statement;          ///< the loop with its ';'
  std::string Limit;       ///< the variable which the loop makes smaller
  bool Understood = false; ///< nothing else happens in it
  /// Later places in the function that look at what the loop changed.
  std::vector<Span> Later;
  /// Statements which do something only if the loop has changed the limit:
  /// `if (n2 != n) kprintf(..);' where n2 is what n was.
  std::vector<Span> IfChanged;
};

/// What an allocation's result goes to.
struct Destination {
  std::string Name;      ///< variable or expression, as spelled
  std::string Type;      ///< "struct swblock *"
  bool Declares = false; ///< `struct foo *p = zalloc(z);`
};

/// One call of the API.
struct Site {
  Api Function = Api::Zalloc;
  Span Name; ///< the function's name; Name.id() is the site's identity
  Span Call; ///< from the name to ')'
  std::vector<Argument> Args;
  /// Key of the zone or cache; empty when the collector cannot tell.
  std::string Zone;
  /// How the zone is written at the site: `swap_zone`, `sc->zone`.
  Span ZoneText;
  std::string ZoneSpelling;
  /// In a macro's body: the macro's parameter that stands for the zone.
  std::string ZoneParameter;
  /// That parameter is in the body nowhere else than in the API's calls.
  bool ParameterAlone = false;
  Span Statement;              ///< enclosing statement with its ';'
  bool WholeStatement = false; ///< nothing in it but the call (and for a
                               ///< creation the assignment to the zone)
  bool ResultUsed = false;
  std::string InFunction;
  Provenance From;
  /// It could not be read: why. Such a site refuses its zone.
  std::string Trouble;

  std::vector<std::string> Units; ///< in which it is seen

  // Allocations.
  /// What the function, or a block around it, declares: "struct foo", "n".
  std::vector<std::string> Locals;
  Destination Dest;
  bool NullChecked = false;

  /// Of a destruction: the statement right behind, which sets it to NULL.
  Span Cleared;

  // Creations.
  Span AssignTo;                 ///< `z` in `z = zinit(..)`
  std::vector<NullCheck> Checks; ///< also the guards of a destruction
  std::optional<RetryLoop> Retry;
  bool InLoop = false; ///< in a loop that is not such a retry
};

/// What one appearance of a variable's name is there for.
enum class Role {
  SiteZone,     ///< the zone or cache of a site
  SiteArgument, ///< another argument of a site (args, items, malloc_type)
  CreateTarget, ///< assigned the result of a creation
  StoreAssign,  ///< zone = &store: on the zone and on the store
  FlagsOr,      ///< store.zflags |= F or zone->zflags |= F
  AllocTarget,  ///< Items: assigned the memory, see ItemMemory
  NullTest,     ///< compared with NULL; a NullCheck says how when it is known
  NullAssign,   ///< zone = NULL
  Member,       ///< args.objsize = N
  TypeUse,      ///< MallocType: any other use
  Init,         ///< in the initialiser of objcache_malloc_args
  Carried,      ///< put into a carrier: assigned, listed, passed (Other: which)
  CarrierSet,   ///< the carrier, where something is put into it
  SizeOf,       ///< its size is taken: of a carrier
  MemberRead,   ///< args.objsize or args.mtype is looked at
  LimitRaise,   ///< MallocType, args.mtype: kmalloc_raise_limit(it, ..);
  Set,          ///< Plain: the statement gives it a value, and does no more
  Look,         ///< Plain: any other use
  Escape        ///< anything else
};

struct Use {
  std::string Var; ///< key
  Role What = Role::Escape;
  Span Name;                   ///< the name itself
  Span Expr;                   ///< the whole expression: `sc->zone`, `&store`
  Span Statement;              ///< the enclosing statement with its ';'
  bool WholeStatement = false; ///< the statement does nothing else
  std::string Other;           ///< StoreAssign: the other side's key
  /// Escape: what it is, in words; FlagsOr: the flags as written; TypeUse: the
  /// member that is looked at.
  std::string Detail;
  Span Assertion;     ///< NullTest: the statement that asserts it, and no more
  std::optional<int64_t> Value; ///< FlagsOr
  Evaluations Values;
  std::string InFunction;
  Provenance From;
};

/// A function which calls the API and may lose statements, and all that there
/// is of it.
struct LosingFunction {
  std::string Name;
  bool External = false;          ///< it is not static
  Span Definition;                ///< with a comment right above it
  std::vector<Span> Body;         ///< the statements of its body
  std::vector<Span> Declarations; ///< with their ';'
  /// Statements that call it and do nothing else, and SYSINIT(..); of it.
  std::vector<Span> Calls, Inits;
  /// Where code does something with what it returns.
  std::vector<Span> Tests;
  /// What it returns, and where: a number, NULL, or empty when the compiler
  /// cannot tell.
  struct Return {
    Span Text;
    std::string Value;
  };
  std::vector<Return> Returns;
  /// Nothing but Definition, Declarations, Calls and Inits names it, be it in
  /// text that no unit compiles.
  bool Known = false;
};

/// A label to which nothing but `goto' leads, near the end of a function.
struct Label {
  std::string Name;
  std::string InFunction;
  Span
      Rest; ///< from the label, or a `return;' before it, to the last statement
  std::vector<Span> Jumps; ///< `goto' statements
};

/// What a name stands for in some of the units that allocate: sizeof of a type,
/// or the number of a constant.
struct NamedSize {
  std::string Name; ///< "struct foo", "foo_t", "NFOO"
  std::string Text; ///< the number
  std::string Configuration;
  std::vector<std::string> Units; ///< those that have it so
};

/// A creation's size, which is written again wherever there is an allocation.
struct SizeText {
  std::string Key; ///< of the zone, the cache, or its objcache_malloc_args
  std::string Spelling;
  /// What it is spelled with: "struct foo", "foo_t", "NFOO".
  std::vector<std::string> Names;
  /// "foo" where it is sizeof(struct foo), or sizeof(foo_t) of a structure.
  std::string Object;
  /// Of all that it names: structures, types, constants, macros, with the ';'.
  std::vector<Span> Definitions;
};

/// p = (void *)kmem_alloc(map, n * sizeof(x), id), p given to zbootinit.
struct ItemMemory {
  std::string Var;      ///< key of the Items variable p
  std::string Function; ///< kmem_alloc
  Span Call;
  Span Statement;
  std::vector<Argument> Args;
  unsigned SizeArg = 0; ///< which of Args is the size
  std::string InFunction;
};

/// An API name, or the name of a zone or cache, in the text.
struct Mention {
  Span Text;
  std::string Name;
  enum KindTy { Function, Type, Flag, Variable };
  KindTy Kind = Function;
  /// Variable: of the variables with that name, the one whose function it is
  /// in; empty for all that are known in the file.
  std::string Var;
  enum StateTy {
    Understood,    ///< a site, use or declaration of these facts covers it
    OtherName,     ///< parsed, active code: the same name for something else
    ApiItself,     ///< declares or implements the API
    Inactive,      ///< in code no parsed unit compiles
    Dropped,       ///< in an argument of a macro which leaves it out
    Unexpanded,    ///< in the body of a macro that nothing expands
    NotInDatabase, ///< in a file that no unit of the database reads
    DidNotParse,   ///< in a file which only failing units read
    Skipped        ///< only in units which the text filter skipped
  };
  StateTy State = Understood;
  /// Function, written `name(a, b)`: where the parts are. Allows a call in
  /// inactive code to be changed by its spelling.
  Span Call;
  std::vector<Span> Args;
  std::vector<std::string> ArgTexts;
  /// The call with its ';' where it is a statement. Variable: the assertion
  /// that it is not NULL.
  Span Statement;
};

/// Everything.
struct Facts {
  static constexpr int Version = 4;
  std::string Tree; ///< absolute, real path of the tree's root
  /// "0/3": the parts of the units that were taken; empty: all of them.
  std::vector<std::string> Shards;
  /// No header of the tree defines kmalloc_obj(): it is too old.
  bool LacksKmallocObj = false;
  std::vector<Unit> Units;
  std::vector<SourceFile> Files;
  std::vector<Variable> Variables;
  std::vector<MallocDefine> MallocDefines;
  std::vector<Site> Sites;
  std::vector<Use> Uses;
  std::vector<Statement> Statements;
  std::vector<ItemMemory> ItemMemories;
  std::vector<SizeText> Sizes;
  std::vector<NamedSize> NamedSizes;
  std::vector<LosingFunction> Functions;
  std::vector<Label> Labels;
  std::vector<Mention> Mentions;
  /// Identifiers M_* anywhere in the tree's text, with the files (sorted):
  /// names that a new type must not take, and uses of malloc types in units
  /// that were not parsed.
  struct Taken {
    std::string Name;
    std::vector<std::string> Files;
  };
  std::vector<Taken> Identifiers;

  const Variable *variable(llvm::StringRef Key) const;
  const SourceFile *file(llvm::StringRef Path) const;
  const Unit *unit(llvm::StringRef Path) const;
  /// Is Header what File is, or reads, if need be through other files?
  bool includes(llvm::StringRef File, llvm::StringRef Header) const;
  std::vector<const Site *> sitesOf(llvm::StringRef Key) const;
  std::vector<const Use *> usesOf(llvm::StringRef Key) const;
  const Site *siteAt(llvm::StringRef Id) const;
  /// The statement that is exactly there; null: nothing is known about it.
  const Statement *statement(const Span &At) const;
  /// The first directive that begins in S.
  const Directive *directiveIn(const Span &S) const;
  /// The directive in whose text Offset is.
  const Directive *directiveAt(llvm::StringRef File, uint32_t Offset) const;

  /// Sort, drop duplicates, join declarations and expansions of one thing.
  void normalize();
};

/// Joins what several units, shards or files found. Fails when they are about
/// different trees.
llvm::Expected<Facts> mergeFacts(std::vector<Facts> Parts);

/// Fails, with its name, if a shard is missing.
llvm::Error checkShards(const Facts &F);

llvm::json::Value toJSON(const Facts &F);
/// What reads back as F; nothing where a text in it is not UTF-8.
std::optional<llvm::json::Value> toExactJSON(const Facts &F);
bool fromJSON(const llvm::json::Value &V, Facts &F, llvm::json::Path P);

/// Reads a facts file; the error says which file, and where it is wrong.
llvm::Expected<Facts> readFacts(llvm::StringRef Path);
/// Pretty-printed, ends in a newline.
std::string writeFacts(const Facts &F);

} // namespace kmobj

#endif // KMOBJ_FACTS_H
