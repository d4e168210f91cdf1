/* SPDX-License-Identifier: BSD-3-Clause */

#include "Build.h"
#include "gtest/gtest.h"

using namespace kmobj;
using namespace kmobj::test;

TEST(TypeName, FollowsTheZonesString) {
  EXPECT_EQ(typeName("SWAPMETA"), "M_SWAPMETA");
  EXPECT_EQ(typeName("MAP ENTRY"), "M_MAP_ENTRY");
  EXPECT_EQ(typeName("disk-msg"), "M_DISK_MSG");
}

TEST(Includes, GoThroughWhatForwardsFromOutside) {
  Facts F;
  F.Files.resize(4);
  F.Files[0].Path = "kern/foo.c";
  F.Files[0].Includes.resize(2);
  F.Files[0].Includes[0].Resolved = "/build/machine/pmap.h";
  F.Files[0].Includes[1].Resolved = "sys/types.h";
  F.Files[1].Path = "platform/pc64/include/pmap.h";
  F.Files[1].Includes.resize(1);
  F.Files[1].Includes[0].Resolved = "sys/tree.h";
  F.Files[2].Path = "sys/tree.h";
  F.Files[3].Path = "sys/types.h";
  EXPECT_TRUE(F.includes("kern/foo.c", "kern/foo.c"));
  EXPECT_TRUE(F.includes("kern/foo.c", "sys/types.h"));
  EXPECT_TRUE(F.includes("kern/foo.c", "sys/tree.h"));
  EXPECT_FALSE(F.includes("kern/foo.c", "sys/queue.h"));
  EXPECT_FALSE(F.includes("sys/types.h", "sys/tree.h"));
}

TEST(Slab, LargestObjectLeavesRoomForTheHeader) {
  // Header 352 bytes, states 2048, one pointer, rounded to 2432; 131072 - 2432.
  // See theLargestObjectFitsASlab of the shims' LayoutTest.
  EXPECT_EQ(largestObject(), 128640u);
}

TEST(Zone, InterruptZoneKeepsItsLimit) {
  Builder B;
  B.interruptZone();
  Plan P = B.plan();
  ASSERT_EQ(P.Entries.size(), 1u);
  const PlanEntry &E = P.Entries[0];
  EXPECT_TRUE(E.Convert);
  EXPECT_EQ(E.Type, "M_ITEM");
  EXPECT_EQ(E.Form, TypeForm::Define);
  EXPECT_EQ(E.Reserve, 3u);
  EXPECT_EQ(E.Sites, 3u);
  const Step *Create = stepOf(E, Action::Create);
  ASSERT_TRUE(Create);
  EXPECT_EQ(Create->Limit,
            "(size_t)n * __VM_CACHELINE_ALIGN(sizeof(struct item))");
  EXPECT_EQ(Create->Objects, "n");
  EXPECT_EQ(stepOf(E, Action::Alloc)->Flags, "M_INTNOWAIT");
  EXPECT_EQ(stepOf(E, Action::Free)->Pointer, "p");
  EXPECT_TRUE(P.DropZone);
  EXPECT_TRUE(P.allConverted());
}

TEST(Zone, LimitThatIsAnExpressionIsBracketed) {
  Builder B;
  B.interruptZone();
  B.F.Sites[0].Args[2] = arg(at(10, 30, 39), "a + b");
  EXPECT_EQ(stepOf(B.plan().Entries[0], Action::Create)->Limit,
            "(size_t)(a + b) * __VM_CACHELINE_ALIGN(sizeof(struct item))");
}

struct FlagCase {
  int64_t Zone;
  const char *Flags;
};
class ZoneFlags : public testing::TestWithParam<FlagCase> {};

TEST_P(ZoneFlags, GiveTheAllocationsFlags) {
  Builder B;
  B.interruptZone();
  B.F.Sites[0].Args[3].Value = GetParam().Zone;
  EXPECT_EQ(stepOf(B.plan().Entries[0], Action::Alloc)->Flags,
            GetParam().Flags);
}

INSTANTIATE_TEST_SUITE_P(
    All, ZoneFlags,
    testing::Values(FlagCase{0, "M_WAITOK"}, FlagCase{1, "M_INTNOWAIT"},
                    FlagCase{3, "M_INTWAIT"}, FlagCase{4, "M_WAITOK"},
                    FlagCase{0x24, "M_WAITOK"}, FlagCase{0x20, "M_WAITOK"}));

TEST(Zone, BlockingZoneKeepsNoSlabsButFreshZeroes) {
  Builder B;
  B.interruptZone();
  B.F.Sites[0].Args[3].Value = 0;
  const PlanEntry E = B.plan().Entries[0];
  EXPECT_EQ(E.Reserve, 0u);
  EXPECT_TRUE(E.WantReserve);
  EXPECT_EQ(stepOf(E, Action::Create)->Limit, "0");
}

TEST(Zone, UncheckedResultOfAnInterruptZoneIsNoted) {
  Builder B;
  B.interruptZone();
  for (Site &S : B.F.Sites)
    S.NullChecked = false;
  const PlanEntry E = B.plan().Entries[0];
  ASSERT_EQ(stepOf(E, Action::Alloc)->Notes.size(), 1u);
  EXPECT_EQ(stepOf(E, Action::Alloc)->Notes[0].Where.Line, 20u);
}

TEST(Zone, OneEscapeRefusesAllOfIt) {
  Builder B;
  B.interruptZone();
  B.use("z", 40, Role::Escape).Detail = "it is passed to f()";
  Plan P = B.plan();
  EXPECT_TRUE(refusedFor(P.Entries[0], "vm/a.c:40: z: it is passed to f()"));
  EXPECT_FALSE(P.DropZone);
  EXPECT_FALSE(P.allConverted());
}

TEST(Zone, ReportNamesTheReason) {
  Builder B;
  B.interruptZone();
  B.use("z", 40, Role::Escape).Detail = "it is returned";
  EXPECT_EQ(report(B.plan()),
            "refused    ITEM (zone z, 3 sites): vm/a.c:40: z: it is returned\n"
            "1 zones and caches: 0 converted, 1 refused; 0 sites converted, "
            "3 left\n");
}

TEST(Zone, SizesMustAgree) {
  Builder B;
  B.variable("z", 1);
  B.site(Api::Zbootinit, "z", 5,
         {{"z", {}}, {"\"Z\"", {}}, {"sizeof(a)", 64}, {"i", {}}, {"4", 4}});
  B.site(Api::Zinitna, "z", 10,
         {{"z", {}}, {"NULL", {}}, {"sizeof(b)", 32}, {"0", 0}, {"0", 0}});
  EXPECT_TRUE(refusedFor(B.plan().Entries[0],
                         "vm/a.c:10: the size of an item is 32 here and 64 at "
                         "vm/a.c:5"));
}

TEST(Zone, SizeMustBeConstant) {
  Builder B;
  B.interruptZone();
  B.F.Sites[0].Args[1] = arg(at(10, 20, 29), "size");
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "is not a constant"));
}

TEST(Zone, ItemMustFitASlab) {
  Builder B;
  B.interruptZone();
  B.F.Sites[0].Args[1].Value = 128640;
  EXPECT_TRUE(B.plan().Entries[0].Convert);
  B.F.Sites[0].Args[1].Value = 128641;
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "does not fit a slab"));
}

TEST(Zone, WithoutCreationIsRefused) {
  Builder B;
  B.variable("z", 1);
  B.site(Api::Zalloc, "z", 20, {{"z", {}}});
  EXPECT_TRUE(
      refusedFor(B.plan().Entries[0], "the creation of z was not seen"));
}

TEST(Zone, ParameterIsRefused) {
  Builder B;
  B.interruptZone();
  B.F.Variables[0].Scope = VarScope::Parameter;
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "is a parameter"));
}

TEST(Zone, DestroyedZoneIsDynamic) {
  Builder B;
  B.interruptZone();
  B.site(Api::Zdestroy, "z", 50, {{"z", {}}});
  B.use("z", 60, Role::NullTest);
  const PlanEntry E = B.plan().Entries[0];
  EXPECT_TRUE(E.Convert);
  EXPECT_EQ(E.Form, TypeForm::Dynamic);
  EXPECT_EQ(E.Type, "z");
  EXPECT_TRUE(stepOf(E, Action::Create)->CallCreate);
  EXPECT_TRUE(stepOf(E, Action::TestNull));
}

TEST(Zone, NullTestElsewhereMakesItDynamic) {
  Builder B;
  B.interruptZone();
  B.use("z", 60, Role::NullTest);
  const PlanEntry E = B.plan().Entries[0];
  EXPECT_TRUE(E.Convert);
  EXPECT_EQ(E.Form, TypeForm::Dynamic);
  EXPECT_TRUE(stepOf(E, Action::TestNull));
}

TEST(Zone, DeadCheckGoesWithTheCreation) {
  Builder B;
  B.interruptZone();
  NullCheck C;
  C.Kind = NullCheck::Dead;
  C.Statement = at(11);
  C.Condition = C.Test = at(11, 4, 20);
  C.OnlyTest = true;
  C.Body = "panic(\"no zone\");";
  B.F.Sites[0].Checks.push_back(C);
  B.use("z", 11, Role::NullTest);
  const PlanEntry E = B.plan().Entries[0];
  EXPECT_TRUE(E.Convert);
  ASSERT_EQ(stepOf(E, Action::Create)->AlsoRemove.size(), 1u);
  EXPECT_EQ(stepOf(E, Action::Create)->AlsoRemove[0], at(11));

  B.F.Sites[0].Checks[0].Body = "goto fail;";
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "vm/a.c:11"));
}

TEST(Zone, RetryLoopIsReplacedAsAWhole) {
  Builder B;
  B.interruptZone();
  RetryLoop R;
  R.Statement = {"vm/a.c", 900, 1290, 9, 1};
  R.Limit = "n";
  R.Understood = true;
  R.Later = {at(14)};
  B.F.Sites[0].Retry = R;
  B.block(R.Statement);
  B.use("z", 11, Role::NullTest);
  const PlanEntry E = B.plan().Entries[0];
  EXPECT_TRUE(E.Convert);
  EXPECT_EQ(stepOf(E, Action::Create)->Replace, R.Statement);
  ASSERT_EQ(E.Notes.size(), 1u);
  EXPECT_EQ(E.Notes[0].Where.Line, 14u);

  B.F.Sites[0].Retry->Understood = false;
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "the loop around"));
}

TEST(Zone, CreationInALoopIsRefused) {
  Builder B;
  B.interruptZone();
  B.F.Sites[0].InLoop = true;
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "the creation is in a loop"));
}

static void bootZone(Builder &B) {
  B.variable("z", 1);
  B.variable("store", 2, VarKind::ZoneStore);
  Variable &Items = B.variable("items", 3, VarKind::Items);
  Items.IsArray = true;
  Items.Count = 40;
  Use &A = B.use("z", 5, Role::StoreAssign, 0);
  A.Other = "store";
  B.use("store", 5, Role::StoreAssign).Other = "z";
  Site &S = B.site(
      Api::Zbootinit, "z", 6,
      {{"z", {}}, {"\"Z\"", {}}, {"sizeof(a)", 64}, {"items", {}}, {"N", 40}});
  S.Args[3].Var = "items";
  B.use("items", 6, Role::SiteArgument, 41);
  Use &Or = B.use("store", 7, Role::FlagsOr);
  Or.Detail = "ZONE_SPECIAL";
  Or.Value = 4;
  B.site(Api::Zinitna, "z", 10,
         {{"z", {}}, {"NULL", {}}, {"0", 0}, {"0", 0}, {"F", 0x20}});
  B.site(Api::Zalloc, "z", 20, {{"z", {}}});
}

TEST(BootZone, StaticItemsBecomeBootSlabs) {
  Builder B;
  bootZone(B);
  const PlanEntry E = B.plan().Entries[0];
  EXPECT_TRUE(E.Convert) << (E.Reasons.empty() ? "" : E.Reasons[0].str());
  EXPECT_TRUE(E.Bootstrap);
  EXPECT_TRUE(E.ItemsStatic);
  EXPECT_EQ(E.ItemsCount, "N");
  EXPECT_EQ(E.ZoneFlags, 0x24u);
  EXPECT_EQ(stepOf(E, Action::Alloc)->Flags, "M_WAITOK");
  unsigned Removed = 0;
  for (const Step &S : E.Steps)
    Removed += S.Do == Action::Remove;
  EXPECT_EQ(Removed, 2u);
}

TEST(BootZone, ItemsUsedElsewhereAreRefused) {
  Builder B;
  bootZone(B);
  B.use("items", 50, Role::Escape).Detail = "it is returned";
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "vm/a.c:50"));
}

TEST(BootZone, AllocatedItemsAreResized) {
  Builder B;
  bootZone(B);
  for (Variable &V : B.F.Variables)
    if (V.Name == "items")
      V.IsArray = false;
  for (Site &S : B.F.Sites)
    if (S.Function == Api::Zbootinit)
      S.Args[4] = arg(at(6, 50, 59), "n");
  ItemMemory M;
  M.Var = "items";
  M.Function = "kmem_alloc";
  M.SizeArg = 1;
  M.Call = at(4, 10, 60);
  M.Statement = at(4);
  M.Args = {arg(at(4, 20, 22), "map"), arg(at(4, 23, 40), "n * sizeof(a)")};
  M.Args[1].Variables = {"n"};
  B.F.ItemMemories.push_back(M);
  B.use("items", 4, Role::AllocTarget, 0);
  const PlanEntry E = B.plan().Entries[0];
  EXPECT_TRUE(E.Convert) << (E.Reasons.empty() ? "" : E.Reasons[0].str());
  ASSERT_TRUE(stepOf(E, Action::Resize));
  EXPECT_EQ(stepOf(E, Action::Resize)->Replace, at(4, 23, 40));
  EXPECT_EQ(stepOf(E, Action::Resize)->Bytes,
            "kmalloc_obj_bootbytes(sizeof(a), n)");
  EXPECT_EQ(stepOf(E, Action::BootInit)->Memory, "items");
}

TEST(BootZone, WithoutZinitnaIsRefused) {
  Builder B;
  bootZone(B);
  llvm::erase_if(B.F.Sites,
                 [](const Site &S) { return S.Function == Api::Zinitna; });
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "no zinitna()"));
}

static Mention mention(const std::string &Name, const Span &Where,
                       Mention::StateTy State) {
  Mention M;
  M.Name = Name;
  M.Text = Where;
  M.State = State;
  M.Kind = apiByName(Name) ? Mention::Function : Mention::Variable;
  return M;
}

TEST(Mentions, InactiveFreeIsChangedByItsSpelling) {
  Builder B;
  B.interruptZone();
  Mention Call = mention("zfree", at(40, 8, 13), Mention::Inactive);
  Call.Call = at(40, 8, 30);
  Call.Args = {at(40, 14, 15), at(40, 17, 18)};
  Call.ArgTexts = {"z", "q"};
  B.F.Mentions = {Call, mention("z", at(40, 14, 15), Mention::Inactive)};
  Plan P = B.plan();
  const PlanEntry &E = P.Entries[0];
  EXPECT_TRUE(E.Convert);
  EXPECT_EQ(E.Sites, 4u);
  EXPECT_TRUE(E.Steps.back().Textual);
  EXPECT_EQ(E.Steps.back().Pointer, "q");
  EXPECT_TRUE(P.DropZone);
}

TEST(Mentions, OtherInactiveUseIsRefused) {
  Builder B;
  B.interruptZone();
  B.F.Mentions = {mention("z", at(40, 14, 15), Mention::Inactive)};
  EXPECT_TRUE(refusedFor(B.plan().Entries[0],
                         "vm/a.c:40: names z in code that no unit compiles"));
}

TEST(Mentions, FileOutsideTheDatabaseRefusesAnExternalZone) {
  Builder B;
  B.interruptZone();
  B.F.Mentions = {
      mention("z", at(4, 14, 15, "vm/b.c"), Mention::NotInDatabase)};
  EXPECT_TRUE(B.plan().Entries[0].Convert) << "static: another z";
  B.F.Variables[0].External = true;
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "vm/b.c:4: names z"));
}

TEST(Mentions, FailingUnitRefusesWithItsError) {
  Builder B;
  B.interruptZone();
  B.F.Variables[0].External = true;
  Unit U;
  U.Path = "vm/b.c";
  U.State = Unit::Failed;
  U.FirstError = "vm/b.c:3:1: unknown type name";
  B.F.Units = {U};
  B.F.Mentions = {mention("z", at(4, 14, 15, "vm/b.c"), Mention::DidNotParse)};
  Plan P = B.plan();
  EXPECT_TRUE(refusedFor(P.Entries[0], "vm/b.c does not parse (vm/b.c:3:1"));
  ASSERT_FALSE(P.Remarks.empty());
}

TEST(Mentions, StrayCallKeepsTheOldAllocatorIn) {
  Builder B;
  B.interruptZone();
  B.F.Mentions = {
      mention("zalloc", at(4, 14, 20, "vm/b.c"), Mention::NotInDatabase)};
  Plan P = B.plan();
  EXPECT_TRUE(P.Entries[0].Convert);
  EXPECT_FALSE(P.DropZone);
  EXPECT_EQ(P.StraySites, 1u);
  ASSERT_EQ(P.Remarks.size(), 1u);
  EXPECT_EQ(P.Remarks[0].str(),
            "vm/b.c:4: 1 name of the API in a file that no unit of the "
            "compile database reads");
}

TEST(Macros, BodyForSeveralZonesRefusesThemAll) {
  Builder B;
  B.interruptZone("y", "\"Y\"");
  B.interruptZone("z", "\"Z\"");
  for (Site &S : B.F.Sites)
    if (S.Function == Api::Zalloc) {
      S.From.Kind = Provenance::Body;
      S.From.Macro = "GET";
    }
  Plan P = B.plan();
  ASSERT_EQ(P.Entries.size(), 2u);
  for (const PlanEntry &E : P.Entries)
    EXPECT_TRUE(refusedFor(E, "used for several zones"));
}

TEST(Names, TakenNameGetsASuffix) {
  Builder B;
  B.interruptZone();
  B.F.Identifiers = {{"M_ITEM", {"kern/k.c"}}};
  EXPECT_EQ(B.plan().Entries[0].Type, "M_ITEM_ZONE");
  B.F.Identifiers.push_back({"M_ITEM_ZONE_obj", {"kern/k.c"}});
  EXPECT_EQ(B.plan().Entries[0].Type, "M_ITEM_ZONE2");
}

TEST(Cache, SimpleCacheTakesOverItsMallocType) {
  Builder B;
  B.simpleCache();
  const PlanEntry E = B.plan().Entries[0];
  EXPECT_TRUE(E.Convert) << (E.Reasons.empty() ? "" : E.Reasons[0].str());
  EXPECT_EQ(E.Form, TypeForm::Redefine);
  EXPECT_EQ(E.Type, "M_FOO");
  EXPECT_FALSE(E.Constructed);
  EXPECT_TRUE(stepOf(E, Action::Create)->CallCache);
  EXPECT_TRUE(E.needsShims());
  EXPECT_EQ(stepOf(E, Action::Alloc)->Flags, "M_WAITOK");
}

TEST(Cache, SharedMallocTypeGivesANewOne) {
  Builder B;
  B.simpleCache("foo_cache", "M_BAR");
  B.use("M_BAR", 70, Role::TypeUse);
  EXPECT_EQ(B.plan().Entries[0].Type, "M_FOO");
  EXPECT_EQ(B.plan().Entries[0].Form, TypeForm::Define);
}

TEST(Cache, MallocTypeNamedInAnotherFileGivesANewOne) {
  Builder B;
  B.simpleCache("foo_cache", "M_BAR");
  B.F.Identifiers = {{"M_BAR", {"kern/k.c", "vm/a.c"}}};
  EXPECT_EQ(B.plan().Entries[0].Form, TypeForm::Define);
}

static Site &backedCache(Builder &B) {
  Site &S = B.simpleCache();
  S.Function = Api::ObjcacheCreateMbacked;
  for (const char *Text : {"0", "0", "NULL", "NULL", "NULL"})
    S.Args.push_back(
        arg(at(10, 40, 49), Text,
            Text[0] == '0' ? std::optional<int64_t>(0) : std::nullopt));
  return S;
}

TEST(Cache, BackedCacheWithoutConstructorIsPlain) {
  Builder B;
  backedCache(B);
  EXPECT_FALSE(B.plan().Entries[0].Constructed);
}

// Of which a slab would hold so few that they come from kmalloc().
TEST(Cache, LargeObjectsMakeItConstructed) {
  for (uint64_t Size : {16384, 32768, 65536}) {
    Builder B;
    Argument &A = backedCache(B).Args[1];
    A.Value = Size;
    A.Values.clear();
    EXPECT_EQ(B.plan().Entries[0].Constructed, Size > 16384) << Size;
  }
}

TEST(Cache, ConstructorOrLimitMakesItConstructed) {
  for (unsigned Which : {2u, 4u, 5u}) {
    Builder B;
    Site &S = backedCache(B);
    S.Args[Which] = arg(at(10, 40, 49), "x");
    const PlanEntry E = B.plan().Entries[0];
    EXPECT_TRUE(E.Convert && E.Constructed) << Which;
    EXPECT_TRUE(stepOf(E, Action::Create)->CallCtor);
    EXPECT_TRUE(E.needsShims());
  }
}

TEST(Cache, LimitThatChangesLaterMakesItConstructed) {
  Builder B;
  B.simpleCache();
  B.site(Api::ObjcacheSetClusterLimit, "foo_cache", 40,
         {{"foo_cache", {}}, {"n", {}}});
  const PlanEntry E = B.plan().Entries[0];
  EXPECT_TRUE(E.Convert && E.Constructed);
  EXPECT_EQ(stepOf(E, Action::SetLimit)->MaxOut, "n");
}

TEST(Cache, OldTreeRefusesInOneSentence) {
  Builder B;
  B.simpleCache();
  B.F.LacksKmallocObj = true;
  const Plan P = B.plan();
  EXPECT_TRUE(refusedFor(P.Entries[0], "this tree has no kmalloc_obj()"));
  EXPECT_EQ(P.Entries[0].Reasons.size(), 1u);
}

TEST(Cache, SizeMustBeKnownWhereItIsAllocated) {
  Builder B;
  B.simpleCache();
  const std::string Key = B.F.Sites.front().Zone;
  Site &Get = B.site(Api::ObjcacheGet, "foo_cache", 40,
                     {{"foo_cache", {}}, {"M_WAITOK", {}}});
  Get.Units = {"vm/b.c"};
  SizeText Size;
  Size.Key = Key;
  Size.Spelling = "sizeof(struct foo)";
  Size.Names = {"struct foo"};
  Size.Definitions = {at(5, 0, 90, "vm/foo.h")};
  B.F.Sizes = {Size};
  Unit U;
  U.Path = "vm/b.c";
  U.Reads = {"vm/b.c", "vm/foo.h"};
  B.F.Units = {U};
  EXPECT_TRUE(B.plan().Entries[0].Convert);
  B.F.Units[0].Reads = {"vm/b.c"};
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "does not read vm/foo.h"));

  // The name is shadowed; it stands for something else under an option.
  B.F.Units[0].Reads = {"vm/b.c", "vm/foo.h"};
  auto Locals = [&](std::vector<std::string> Names) {
    for (Site &S : B.F.Sites)
      if (S.Function == Api::ObjcacheGet)
        S.Locals = Names;
      else
        S.Units = {"vm/a.c"};
  };
  Locals({"struct bar", "foo"});
  EXPECT_TRUE(B.plan().Entries[0].Convert);
  Locals({"struct foo"});
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "is something else here"));
  Locals({});
  B.F.NamedSizes = {{"struct foo", "64", "GENERIC", {"vm/a.c", "vm/b.c"}},
                    {"struct foo", "72", "LINT", {"vm/a.c", "vm/b.c"}}};
  EXPECT_TRUE(B.plan().Entries[0].Convert);
  B.F.NamedSizes = {{"struct foo", "64", "GENERIC", {"vm/a.c"}},
                    {"struct foo", "72", "GENERIC", {"vm/b.c"}}};
  EXPECT_TRUE(
      refusedFor(B.plan().Entries[0], "is 72 in vm/b.c and 64 in vm/a.c"));
}

TEST(Cache, ObjectLargerThanASlabIsRefused) {
  Builder B;
  B.simpleCache().Args[1].Value = 263168;
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "does not fit a slab"));
}

TEST(Cache, OwnBackEndIsRefused) {
  Builder B;
  Site &S = B.simpleCache();
  S.Function = Api::ObjcacheCreate;
  S.Args.clear();
  for (const char *Text : {"\"foo\"", "0", "0", "NULL", "NULL", "NULL",
                           "my_alloc", "my_free", "&args"}) {
    S.Args.push_back(arg(at(10, 40, 49), Text));
    S.Args.back().VarName = Text;
  }
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "a back end of its own"));
}

TEST(Naive, NeedsNoShimsAndRefusesConstructors) {
  Builder B;
  backedCache(B).Args[4] = arg(at(10, 40, 49), "ctor");
  B.interruptZone("z", "\"Z\"", 100);
  PlanOptions Naive;
  Naive.Naive = true;
  Plan P = B.plan(Naive);
  EXPECT_FALSE(P.needsShims());
  ASSERT_EQ(P.Entries.size(), 2u);
  for (const PlanEntry &E : P.Entries) {
    if (E.IsZone)
      EXPECT_TRUE(E.Convert && !E.WantReserve && E.Reserve == 0);
    else
      EXPECT_TRUE(refusedFor(E, "needs the shims"));
  }
}

TEST(Zone, FlagsThatDifferByConfigurationAreRefused) {
  Builder B;
  B.interruptZone();
  Argument &Flags = B.F.Sites.front().Args[3];
  Flags.Value.reset();
  Flags.Values = {{"1", "A", "vm/a.c"}, {"0", "B", "vm/a.c"}};
  EXPECT_TRUE(refusedFor(B.plan().Entries[0],
                         "flags are ZONE_INTERRUPT in A and 0 in B"));
}

TEST(Zone, SizesMayDifferByConfigurationButNotWithin) {
  Builder B;
  B.interruptZone();
  Argument &Size = B.F.Sites.front().Args[1];
  Size.Value.reset();
  Size.Values = {{"64", "A", "vm/a.c"}, {"256", "B", "vm/a.c"}};
  const Plan P = B.plan();
  EXPECT_TRUE(P.Entries[0].Convert);
  EXPECT_EQ(P.Entries[0].Size, 256u);
  EXPECT_EQ(P.Entries[0].Sizes.size(), 2u);
  B.F.Sites.front().Args[1].Values[1].Configuration = "A";
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "in vm/a.c"));
}

TEST(Zone, WhatEditDoesNotKnowIsRefused) {
  Builder B;
  B.interruptZone();
  B.F.Statements.clear();
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "is not known"));
}

TEST(Zone, ADirectiveInsideIsRefused) {
  Builder B;
  B.interruptZone();
  SourceFile File;
  File.Path = "vm/a.c";
  File.Directives = {{"ifdef", at(20, 30, 40)}};
  B.F.Files = {File};
  EXPECT_TRUE(refusedFor(B.plan().Entries[0], "#ifdef stands inside"));
}
