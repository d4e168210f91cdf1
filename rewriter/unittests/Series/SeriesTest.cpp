/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Series.h"
#include "../TemporaryTree.h"
#include "gtest/gtest.h"

using namespace kmobj;

static PlanEntry cache(const std::string &File, const std::string &SizeText) {
  PlanEntry E;
  E.Key = File + "@" + SizeText;
  E.Variable = "some_cache";
  E.IsZone = false;
  E.Convert = true;
  E.Where.File = File;
  E.Type = "M_SOME";
  E.ShortText = "\"some\"";
  E.SizeText = SizeText;
  return E;
}

static PlanEntry zone(const std::string &File, uint32_t Flags) {
  PlanEntry E = cache(File, "sizeof(struct some)");
  E.IsZone = true;
  E.ZoneFlags = Flags;
  return E;
}

TEST(Order, FollowsFromWhatThePlanKnows) {
  Plan P;
  PlanEntry Meets = cache("kern/uipc.c", "64");
  Meets.Group = "g";
  P.Entries = {Meets};
  const SeriesOrder O(P, "struct thread *owner;");
  EXPECT_EQ(O.stage(cache("vfs/foofs/foo.c", "64")), SeriesOrder::Leaf);
  EXPECT_EQ(O.stage(cache("kern/foo.c", "64")), SeriesOrder::Kernel);
  EXPECT_EQ(O.stage(Meets), SeriesOrder::Meeting);
  EXPECT_EQ(O.stage(cache("kern/uipc.c", "16")), SeriesOrder::Meeting);
  EXPECT_EQ(O.stage(cache("vm/foo.c", "64")), SeriesOrder::Core);
  EXPECT_EQ(O.stage(cache("platform/pc64/pmap.c", "64")), SeriesOrder::Core);
  EXPECT_EQ(O.stage(zone("kern/foo.c", ZONE_INTERRUPT)), SeriesOrder::Core);
  EXPECT_EQ(O.stage(zone("kern/foo.c", 0)), SeriesOrder::Kernel);
  // A driver's zone is a leaf, whatever it was promised.
  EXPECT_EQ(O.stage(zone("dev/foo/foo.c", ZONE_INTERRUPT)), SeriesOrder::Leaf);
}

TEST(Order, WhatTheAllocatorItselfUsesComesLate) {
  const PlanEntry E = cache("kern/foo.c", "sizeof(struct thread)");
  EXPECT_EQ(SeriesOrder(Plan(), "struct thread *owner;").stage(E),
            SeriesOrder::Core);
  EXPECT_EQ(SeriesOrder(Plan(), "struct threads *all;").stage(E),
            SeriesOrder::Kernel);
}

TEST(Order, BootMemoryIsLast) {
  const SeriesOrder O(Plan(), "");
  const PlanEntry Plain = cache("vm/foo.c", "64");
  const PlanEntry Interrupt = zone("vm/foo.c", ZONE_INTERRUPT);
  PlanEntry Boot = Interrupt;
  Boot.HasBootstrap = true;
  EXPECT_LT(O.rank({&Plain}), O.rank({&Interrupt}));
  EXPECT_LT(O.rank({&Interrupt}), O.rank({&Boot}));
  // A patch comes with the last of its entries.
  EXPECT_EQ(O.rank({&Plain, &Boot}), O.rank({&Boot}));
}

TEST(Area, IsWhatTheLogCallsIt) {
  EXPECT_EQ(area("kern/uipc_mbuf.c"), "kernel");
  EXPECT_EQ(area("vm/vm_map.c"), "kernel");
  EXPECT_EQ(area("sys/vnode.h"), "kernel");
  EXPECT_EQ(area("platform/pc64/x86_64/pmap.c"), "pc64");
  EXPECT_EQ(area("dev/disk/iscsi/initiator/iscsi.c"), "iscsi");
  EXPECT_EQ(area("dev/disk/nata/ata-all.c"), "nata");
  EXPECT_EQ(area("dev/foo/foo.c"), "foo");
  EXPECT_EQ(area("vfs/hammer2/hammer2_vfsops.c"), "hammer2");
  EXPECT_EQ(area("net/wg/if_wg.c"), "wg");
  EXPECT_EQ(area("net/if.c"), "net");
  EXPECT_EQ(area("netgraph7/netgraph/ng_base.c"), "netgraph7");
  EXPECT_EQ(area("top.c"), "top.c");
}

TEST(Cost, ConfigurationsThatDifferAreNamed) {
  PlanEntry E = zone("vm/foo.c", 0);
  E.Sizes = {{"64", "/a/GENERIC", "u"},
             {"96", "/a/LINT", "u"},
             {"96", "/a/SMALL", "u"}};
  const auto Costs = objectCosts(E);
  ASSERT_EQ(Costs.size(), 2u);
  EXPECT_EQ(Costs[0].New, 64u);
  EXPECT_EQ(Costs[0].Configurations, "GENERIC");
  EXPECT_EQ(Costs[1].Old, 96u);
  EXPECT_EQ(Costs[1].New, 128u);
  EXPECT_EQ(Costs[1].Alignment, 128u);
  EXPECT_EQ(Costs[1].Configurations, "LINT, SMALL");
}

TEST(Cost, OldAndNewRounding) {
  auto Costs = [](bool IsZone, bool Constructed, uint64_t Size) {
    PlanEntry E = zone("vm/foo.c", 0);
    E.IsZone = IsZone;
    E.Constructed = Constructed;
    E.Size = Size;
    return objectCosts(E).front();
  };
  EXPECT_EQ(Costs(true, false, 136).Old, 160u);
  EXPECT_EQ(Costs(true, false, 136).New, 192u);
  EXPECT_EQ(Costs(false, false, 100).Old, 104u);
  EXPECT_EQ(Costs(false, false, 500).Old, 512u);
  EXPECT_EQ(Costs(false, false, 1024).Old, 1024u);
  EXPECT_EQ(Costs(false, false, 20000).Old, 20480u);
  EXPECT_EQ(Costs(false, false, 512).Alignment, 512u);
  EXPECT_EQ(Costs(false, false, 16384).Alignment, 8192u);
  // One of 64 KiB leaves half of a slab empty.
  EXPECT_TRUE(Costs(false, true, 65536).OfKmalloc);
  EXPECT_FALSE(Costs(false, true, 64).OfKmalloc);
  EXPECT_FALSE(Costs(false, false, 65536).OfKmalloc);
}

namespace {

struct Mails : testing::Test {
  TemporaryTree Disk{FileSet{{"kern/a.c", "1\n2\n3\n"}, {"kern/b.c", "x\n"}}};
  MailOptions Options{"A B <a@b>", "", "kmobj rewrite", {}};
  Series S;
  Plan P;

  Mails() {
    Patch One, Two;
    One.Subject = "kernel - Use it for A/B";
    One.Body = "Body.\n";
    One.Notes = "Look here.\n\n";
    One.Changes = {{"kern/a.c", 0, 1, "one"}};
    Two.Subject = "second";
    Two.Body = "Body.\n";
    Two.Changes = {{"kern/a.c", 2, 1, "two"}};
    Two.RemovedFiles = {"kern/b.c"};
    S.Patches = {One, Two};
    S.States = llvm::cantFail(materialize(Disk.tree(), S.Patches));
  }
  FileSet format() {
    return llvm::cantFail(formatMails(Disk.tree(), S, P, Facts(), {}, Options));
  }
};

} // namespace

TEST_F(Mails, AreWhatGitFormatPatchMakes) {
  FileSet All = format();
  EXPECT_EQ(All.size(), 3u);
  EXPECT_TRUE(All.count("0000-cover-letter.patch"));
  const std::string First = All["0001-kernel-Use-it-for-A-B.patch"];
  EXPECT_NE(First.find("From: A B <a@b>\nSubject: [PATCH 1/2] kernel - Use it "
                       "for A/B\n\nBody.\n---\nLook here.\n\nMade by kmobj "),
            std::string::npos)
      << First;
  EXPECT_NE(First.find(": kmobj rewrite\n\n sys/kern/a.c | 2 +-\n 1 file "
                       "changed, 1 insertion(+), 1 deletion(-)\n\ndiff --git"),
            std::string::npos)
      << First;
  EXPECT_NE(First.find("-1\n+one\n 2\n"), std::string::npos) << First;
  EXPECT_EQ(First.find("Content-Type"), std::string::npos);
  const std::string Second = All["0002-second.patch"];
  EXPECT_NE(Second.find(" one\n-2\n+two\n"), std::string::npos) << Second;
  EXPECT_NE(Second.find("deleted file mode 100644\n"), std::string::npos)
      << Second;
  EXPECT_NE(All["0000-cover-letter.patch"].find(
                " 2 files changed, 2 insertions(+), 3 deletions(-)"),
            std::string::npos);
}

TEST_F(Mails, OtherAlphabetsAreDeclared) {
  Options.Author = "J\xc3\xb6rg <a@b>";
  Options.Date = "Thu, 01 Jan 1970 00:00:00 +0000";
  const std::string First = format()["0001-kernel-Use-it-for-A-B.patch"];
  EXPECT_NE(First.find("<a@b>\nDate: Thu, 01 Jan 1970 00:00:00 +0000\nSubject"),
            std::string::npos)
      << First;
  EXPECT_NE(First.find("\nContent-Type: text/plain; charset=UTF-8\n"),
            std::string::npos)
      << First;
}

TEST_F(Mails, AFileThatGoesIsNotChanged) {
  S.Patches[0].Changes.push_back({"kern/b.c", 0, 1, "y"});
  auto States = materialize(Disk.tree(), S.Patches);
  ASSERT_FALSE(static_cast<bool>(States));
  EXPECT_NE(llvm::toString(States.takeError()).find("is to go, and is changed"),
            std::string::npos);
}

TEST(Readers, AreFoundByWhatTheyName) {
  TemporaryTree Disk(FileSet{{"vm/vm_zone.c", "vm_zone\n"}});
  Disk.write("bin/x.c", "a\n\"_zlist\", \"kern.objcache.stats\"\nvm_zone_t z;\n"
                        "zalloc(); my_zlist; _zlist2; zone_9; objcach;\n");
  Disk.write("bin/x.9", "zalloc\nzallocator zone.9\n.Xr zone 9 ,\n");
  Disk.write("bin/many.c",
             "vm.zone\nvm.zone\nvm.zone\nvm.zone\nvm.zone vm.zone\n"
             "xvm.zone\n");
  Disk.write("bin/binary", llvm::StringRef("\0_zlist\n", 8));
  auto Found = findReaders({Disk.root()}, Disk.root() + "/sys");
  ASSERT_TRUE(static_cast<bool>(Found)) << llvm::toString(Found.takeError());
  std::string All;
  for (const Reader &R : *Found)
    All += R.str().substr(R.str().find('/') + 1) + "\n";
  EXPECT_EQ(All, "bin/many.c:1,2,3,4 and 1 more: vm.zone\n"
                 "bin/x.9:1: zalloc\n"
                 "bin/x.9:2,3: zone.9\n"
                 "bin/x.c:2: _zlist\n"
                 "bin/x.c:2: objcache\n"
                 "bin/x.c:3: vm_zone\n");
}

TEST(Notes, LinesOfBothTrees) {
  TemporaryTree Disk(FileSet{{"kern/a.c", "1\n2\n3\n4\n5\n"}});
  Plan P;
  PlanEntry E = cache("kern/a.c", "64");
  for (const auto &[Begin, Line, Do] :
       {std::tuple(4u, 3u, Action::Alloc), std::tuple(8u, 5u, Action::Free),
        std::tuple(6u, 4u, Action::Remove)}) {
    Step S;
    S.Do = Do;
    S.Call = "f";
    S.Replace = {"kern/a.c", Begin, Begin + 1, Line, 1};
    E.Steps.push_back(S);
  }
  E.Notes = {{E.Steps[0].Replace, "look at it"}};
  P.Entries = {E};
  std::vector<Patch> All(1);
  All[0].Zones = {E.Key};
  // Two lines before, one that becomes three, one that goes.
  All[0].Changes = {{"kern/a.c", 0, 0, "a\nb\n"},
                    {"kern/a.c", 4, 1, "x\ny\nz"},
                    {"kern/a.c", 6, 2, ""}};
  ASSERT_FALSE(static_cast<bool>(annotate(All, P, Disk.tree())));
  EXPECT_EQ(All[0].Notes,
            "What to check, on lines of the tree as it was:\n* kern/a.c:3: look at it\n\n"
            "Places, in the tree as it was -> with the whole series:\n"
            "  kern/a.c:3 -> 5  f\n"
            "  kern/a.c:4 -> gone  f\n"
            "  kern/a.c:5 -> 8  f\n\n");
}
