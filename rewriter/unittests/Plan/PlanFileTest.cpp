/* SPDX-License-Identifier: BSD-3-Clause */

#include "Build.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

using namespace kmobj;
using namespace kmobj::test;

namespace {
class PlanFile : public testing::Test {
protected:
  Builder B;
  Plan P;

  void SetUp() override {
    B.interruptZone();
    P = B.plan();
  }
  /// The error of reading Text over P, empty when it fits.
  std::string apply(const std::string &Text) {
    return llvm::toString(
        applyPlanFile(P, B.F, llvm::MemoryBufferRef(Text, "plan.yaml")));
  }
  static std::string zone(const std::string &Rest) {
    return "version: 1\nzones:\n  - variable: z\n" + Rest;
  }
};
} // namespace

TEST_F(PlanFile, OwnOutputChangesNothing) {
  std::string Text = writePlan(P);
  EXPECT_EQ(apply(Text), "");
  EXPECT_EQ(writePlan(P), Text);
}

TEST_F(PlanFile, NaiveOutputMakesTheNaivePlan) {
  PlanOptions Naive;
  Naive.Naive = true;
  std::string Text = writePlan(B.plan(Naive));
  EXPECT_TRUE(P.needsShims());
  EXPECT_EQ(apply(Text), "");
  EXPECT_FALSE(P.needsShims());
  EXPECT_EQ(writePlan(P), Text);
}

TEST_F(PlanFile, EditsAreTaken) {
  EXPECT_EQ(apply(zone("    type: M_THING\n    reserve: 5\n    sites:\n"
                       "      - at: vm/a.c:20:9\n        flags: M_NOWAIT\n")),
            "");
  EXPECT_EQ(P.Entries[0].Type, "M_THING");
  EXPECT_EQ(P.Entries[0].Reserve, 5u);
  EXPECT_EQ(stepOf(P.Entries[0], Action::Alloc)->Flags, "M_NOWAIT");
}

TEST_F(PlanFile, WhatItDoesNotNameIsNotConverted) {
  EXPECT_EQ(apply("version: 1\nzones: []\n"), "");
  EXPECT_FALSE(P.Entries[0].Convert);
  ASSERT_EQ(P.Moved.size(), 1u);
  EXPECT_NE(report(P).find("the plan does not name it"), std::string::npos);
}

TEST_F(PlanFile, EditsOutliveTheLines) {
  std::string Text = writePlan(P);
  Text.replace(Text.find("reserve: 3"), 10, "reserve: 7");
  // In the tree that it was made from, the lines were others.
  for (size_t At = 0; (At = Text.find("at: \"vm/a.c:", At)) != Text.npos; ++At)
    Text.insert(At + 12, "9");
  EXPECT_EQ(apply(Text), "");
  EXPECT_EQ(P.Entries[0].Reserve, 7u);
  EXPECT_TRUE(P.Moved.empty());
}

TEST_F(PlanFile, WhatIsPlannedAnewIsNotAnEdit) {
  const std::string Text = writePlan(P);
  P.Entries[0].Reserve = 5; // as if the tree asked for more now
  EXPECT_EQ(apply(Text), "");
  EXPECT_EQ(P.Entries[0].Reserve, 5u);
}

TEST_F(PlanFile, PromisesAreKept) {
  EXPECT_NE(apply(zone("    sites:\n      - at: vm/a.c:20:9\n"
                       "        flags: M_WAITOK\n"))
                .find("never waits"),
            std::string::npos);
  EXPECT_NE(apply(zone("    sites:\n      - at: vm/a.c:20:9\n"
                       "        flags: M_WAITOK|M_NOWAIT\n"))
                .find("both to wait and not to"),
            std::string::npos);
}

TEST_F(PlanFile, FlagsAreNamesWithBarsBetween) {
  auto Flags = [&](llvm::StringRef Text) {
    return apply(zone(("    sites:\n      - at: vm/a.c:20:9\n"
                       "        flags: \"" +
                       Text + "\"\n")
                          .str()));
  };
  for (llvm::StringRef Good :
       {"M_INTNOWAIT", "M_INTNOWAIT|M_ZERO", "(M_NOWAIT) | (M_ZERO|M_NULLOK)",
        "M_NOWAIT | sc->sc_flags", "args.flags"})
    EXPECT_EQ(Flags(Good), "") << Good.str();
  for (llvm::StringRef Bad :
       {"M_INTNOWAIT^M_RNOWAIT", "M_INTNOWAIT & ~M_ZERO", "~M_NOWAIT",
        "M_NOWAIT |", "| M_NOWAIT", "M_NOWAIT M_ZERO", "(M_NOWAIT", "M_NOWAIT)",
        ")M_NOWAIT(", "M_NOWAIT, 1", "2 | M_NOWAIT", "f(M_NOWAIT)", "()",
        "M_NOWAIT /* */", "x ? M_NOWAIT : M_INTNOWAIT", "M_NOWAIT - 1", " "})
    EXPECT_NE(Flags(Bad).find("expected M_* names with | between them"),
              std::string::npos)
        << Bad.str();
}

TEST_F(PlanFile, KeysAreGivenOnce) {
  EXPECT_EQ(apply(zone("    reserve: 1\n    reserve: 2\n")),
            "plan.yaml:5: 'reserve' is given twice");
}

TEST(Shards, AreAllThere) {
  Facts F;
  EXPECT_EQ(llvm::toString(checkShards(F)), "");
  F.Shards = {"0/3", "2/3"};
  EXPECT_NE(llvm::toString(checkShards(F)).find("1/3 is missing"),
            std::string::npos);
  F.Shards.push_back("1/3");
  EXPECT_EQ(llvm::toString(checkShards(F)), "");
}

TEST_F(PlanFile, RefusalByAPersonKeepsTheOldAllocator) {
  EXPECT_TRUE(P.DropZone);
  EXPECT_EQ(apply(zone("    decision: refuse\n")), "");
  EXPECT_FALSE(P.Entries[0].Convert);
  EXPECT_FALSE(P.DropZone);
  EXPECT_NE(report(P).find("the plan says so"), std::string::npos);
}

TEST_F(PlanFile, NoReserveAndNoBootstrapNeedNoShims) {
  EXPECT_EQ(apply(zone("    reserve: 0\n    bootstrap: false\n")), "");
  EXPECT_FALSE(P.needsShims());
}

TEST_F(PlanFile, UnknownZone) {
  EXPECT_EQ(apply("version: 1\nzones:\n  - variable: y\n"),
            "plan.yaml:3: there is no zone or cache y");
}

TEST_F(PlanFile, UnknownDecision) {
  EXPECT_EQ(apply(zone("    decision: maybe\n")),
            "plan.yaml:4: unknown decision 'maybe', expected convert or "
            "refuse");
}

TEST_F(PlanFile, ZoneThatCannotBeConverted) {
  B.use("z", 40, Role::Escape).Detail = "it is returned";
  P = B.plan();
  EXPECT_EQ(apply(zone("    decision: convert\n")),
            "plan.yaml:4: z cannot be converted: vm/a.c:40: z: it is returned");
}

TEST_F(PlanFile, BadValuesNameTheirLine) {
  EXPECT_EQ(apply(zone("    reserve: many\n")),
            "plan.yaml:4: reserve is 'many', expected a number of slabs from 0 "
            "to 1024");
  EXPECT_EQ(apply(zone("    bootstrap: maybe\n")),
            "plan.yaml:4: bootstrap is 'maybe', expected true or false");
  EXPECT_EQ(apply(zone("    bootstrap: true\n")),
            "plan.yaml:4: z has no first items: there is nothing to bootstrap "
            "it with");
  EXPECT_EQ(apply(zone("    typ: M_X\n")), "plan.yaml:4: a zone has no 'typ'");
  EXPECT_EQ(apply(zone("    type: 3X\n")),
            "plan.yaml:4: type '3X' is not a C identifier");
}

TEST_F(PlanFile, TakenType) {
  B.F.Identifiers = {{"M_TEMP", {"sys/malloc.h"}}};
  EXPECT_EQ(apply(zone("    type: M_TEMP\n")),
            "plan.yaml:4: type M_TEMP: the tree already has M_TEMP "
            "(sys/malloc.h)");
}

TEST_F(PlanFile, UnknownSite) {
  EXPECT_EQ(apply(zone("    sites:\n      - at: vm/a.c:99:1\n")),
            "plan.yaml:5: z has no site at vm/a.c:99:1");
}

TEST_F(PlanFile, FlagsWhereNothingIsAllocated) {
  EXPECT_EQ(apply(zone("    sites:\n      - at: vm/a.c:30:9\n"
                       "        flags: M_WAITOK\n")),
            "plan.yaml:6: the site at vm/a.c:30:9 allocates nothing and takes "
            "no flags");
}

TEST_F(PlanFile, BrokenYaml) {
  EXPECT_NE(apply("zones: [").find("plan.yaml:"), std::string::npos);
  EXPECT_NE(apply("").find("plan.yaml"), std::string::npos);
}

TEST_F(PlanFile, AnErrorLeavesThePlanAlone) {
  std::string Before = writePlan(P);
  EXPECT_NE(apply(zone("    reserve: 7\n    decision: maybe\n")), "");
  EXPECT_EQ(writePlan(P), Before);
}

TEST(FactsFile, ReadsBackToTheSameBytes) {
  Builder B;
  B.interruptZone();
  B.simpleCache();
  B.F.normalize();
  std::string Text = writeFacts(B.F);
  Facts Back;
  llvm::json::Path::Root Root;
  ASSERT_TRUE(fromJSON(llvm::cantFail(llvm::json::parse(Text)), Back, Root));
  EXPECT_EQ(writeFacts(Back), Text);
}

TEST(FactsFile, MergingIsTheSameInAnyOrder) {
  Builder A, B;
  A.interruptZone("y", "\"Y\"");
  B.interruptZone("z", "\"Z\"");
  std::string AB = writeFacts(llvm::cantFail(mergeFacts({A.F, B.F})));
  std::string BA = writeFacts(llvm::cantFail(mergeFacts({B.F, A.F, A.F})));
  EXPECT_EQ(AB, BA);
  B.F.Tree = "/other";
  llvm::Expected<Facts> Both = mergeFacts({A.F, B.F});
  EXPECT_EQ(llvm::toString(Both.takeError()),
            "the facts are about different trees: /sys and /other");
}
