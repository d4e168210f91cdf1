// SPDX-License-Identifier: BSD-3-Clause
//
// The loader's C files, on the host: the metadata is walked as a kernel walks
// it, the page tables as the processor does.

extern "C" {
#include "loader.h"
}

#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

namespace {

constexpr uint64_t KernBase = 0xffffffff80000000;
constexpr uint64_t MiB = 1 << 20;

struct Record {
  uint32_t Type;
  std::string Data;
};

// Records up to the one that ends them; none if it is missing.
std::vector<Record> walk(const uint8_t *Base, size_t Size) {
  std::vector<Record> Records;
  for (size_t At = 0; At + 8 <= Size;) {
    uint32_t Header[2];
    std::memcpy(Header, Base + At, 8);
    if (Header[0] == 0 && Header[1] == 0)
      return Records;
    if (Header[1] > Size - At - 8)
      break;
    Records.push_back({Header[0], {(const char *)Base + At + 8, Header[1]}});
    At += 8 + (Header[1] + 7) / 8 * 8;
  }
  return {};
}

uint64_t number(const Record &R) {
  uint64_t N = 0;
  std::memcpy(&N, R.Data.data(), std::min(R.Data.size(), sizeof(N)));
  return N;
}

class Metadata : public ::testing::Test {
protected:
  std::vector<Record> build() {
    M = {Buffer.data(), Buffer.size(), 0, false};
    Built = metadata_build(&M, &H, 0x5000000, Ranges.data(), Ranges.size());
    return Built ? walk(Buffer.data(), Buffer.size()) : std::vector<Record>();
  }

  std::vector<uint8_t> Buffer = std::vector<uint8_t>(4096, 0xa5);
  std::vector<memory_range> Ranges = {{0, 0x9fc00, 1, 0},
                                      {0xf0000, 0x10000, 2, 0},
                                      {1 * MiB, 255 * MiB, 1, 0}};
  handover H = {HANDOVER_MAGIC, KernBase + 2 * MiB, KernBase,  2 * MiB,
                30 * MiB,       32 * MiB,           33 * MiB,  34 * MiB,
                81920,          40 * MiB,           0x8000,    0x1800,
                0};
  metadata M = {};
  bool Built = false;
};

TEST_F(Metadata, SaysWhatWasLoaded) {
  std::vector<Record> Records = build();
  ASSERT_TRUE(Built);
  ASSERT_EQ(Records.size(), 14u);
  EXPECT_EQ(Records[0].Type, 1u);
  EXPECT_EQ(Records[0].Data, std::string("/boot/kernel/kernel\0", 20));
  EXPECT_EQ(Records[1].Type, 2u);
  EXPECT_EQ(Records[1].Data, std::string("elf kernel\0", 11));
  EXPECT_EQ(number(Records[2]), 2 * MiB);
  EXPECT_EQ(number(Records[3]), 30 * MiB);

  std::map<uint32_t, Record> ByType;
  for (size_t I = 4; I < 10; ++I)
    ByType[Records[I].Type] = Records[I];
  EXPECT_EQ(ByType[0x8007].Data.size(), 4u);
  EXPECT_EQ(number(ByType[0x8007]), 0x1800u);
  EXPECT_EQ(number(ByType[0x8006]), 0x5000000u);
  EXPECT_EQ(number(ByType[0x8008]), 40 * MiB + 0x8000);
  EXPECT_EQ(number(ByType[0x8003]), 32 * MiB);
  EXPECT_EQ(number(ByType[0x8004]), 33 * MiB);

  EXPECT_EQ(Records[11].Data, std::string("md_image\0", 9));
  EXPECT_EQ(number(Records[12]), 34 * MiB);
  EXPECT_EQ(number(Records[13]), 81920u);
}

TEST_F(Metadata, MemoryMapIsPackedAndItsSizePrecedesIt) {
  std::vector<Record> Records = build();
  ASSERT_TRUE(Built);
  const Record &Smap = Records[9];
  ASSERT_EQ(Smap.Type, 0x9001u);
  ASSERT_EQ(Smap.Data.size(), 60u);
  for (size_t I = 0; I < 3; ++I) {
    uint64_t Addr, Size;
    uint32_t Type;
    std::memcpy(&Addr, &Smap.Data[20 * I], 8);
    std::memcpy(&Size, &Smap.Data[20 * I + 8], 8);
    std::memcpy(&Type, &Smap.Data[20 * I + 16], 4);
    EXPECT_EQ(Addr, Ranges[I].addr);
    EXPECT_EQ(Size, Ranges[I].size);
    EXPECT_EQ(Type, Ranges[I].type);
  }
}

TEST_F(Metadata, RecordsStartAtMultiplesOfEight) {
  build();
  ASSERT_TRUE(Built);
  EXPECT_EQ(M.used % 8, 0u);
  for (size_t At = 0; At < M.used;) {
    uint32_t Header[2];
    std::memcpy(Header, &Buffer[At], 8);
    size_t End = At + 8 + Header[1];
    At += 8 + (Header[1] + 7) / 8 * 8;
    for (; End < At; ++End)
      EXPECT_EQ(Buffer[End], 0) << "padding at " << End;
  }
}

TEST_F(Metadata, KernelWithoutSymbolsHasNoRecordOfThem) {
  H.symbols = H.symbols_end = 0;
  std::vector<Record> Records = build();
  ASSERT_TRUE(Built);
  EXPECT_EQ(Records.size(), 12u);
  for (const Record &R : Records)
    EXPECT_TRUE(R.Type != 0x8003 && R.Type != 0x8004);
}

TEST_F(Metadata, SmallBufferIsRefusedAndNotOverrun) {
  build();
  size_t Needed = M.used;
  for (size_t Size = 0; Size < Needed; ++Size) {
    std::fill(Buffer.begin(), Buffer.end(), 0xa5);
    M = {Buffer.data(), Size, 0, false};
    EXPECT_FALSE(
        metadata_build(&M, &H, 0x5000000, Ranges.data(), Ranges.size()));
    for (size_t I = Size; I < Buffer.size(); ++I)
      ASSERT_EQ(Buffer[I], 0xa5) << "of " << Size << " bytes, wrote " << I;
  }
  M = {Buffer.data(), Needed, 0, false};
  EXPECT_TRUE(metadata_build(&M, &H, 0x5000000, Ranges.data(), Ranges.size()));
}

TEST_F(Metadata, TooManyRangesAreRefused) {
  Ranges.assign(65, {0, 4096, 1, 0});
  build();
  EXPECT_FALSE(Built);
}

class PageTables : public ::testing::Test {
protected:
  // What the processor makes of a virtual address; nothing if unmapped.
  static constexpr uint64_t Unmapped = ~uint64_t(0);
  uint64_t translate(uint64_t VA) {
    uint64_t Table = TableAddr;
    for (int Shift = 39;; Shift -= 9) {
      uint64_t Entry =
          Tables[(Table - TableAddr) / 4096][VA >> Shift & 511];
      if ((Entry & 3) != 3)
        return Unmapped;
      if (Entry & 0x80)
        return (Entry & ~0xfffULL) + (VA & ((1ULL << Shift) - 1));
      Table = Entry & ~0xfffULL;
      if (Shift == 12)
        return Table + (VA & 4095);
    }
  }

  static constexpr uint64_t TableAddr = 0x104000;
  uint64_t Tables[PAGETABLE_COUNT][PAGETABLE_ENTRIES] = {};
};

TEST_F(PageTables, FirstGigabyteIsSeenTwice) {
  ASSERT_TRUE(pagetable_build(Tables, TableAddr, KernBase));
  for (uint64_t PA : {uint64_t(0), uint64_t(0x100b14), 2 * MiB + 0x3c0,
                      512 * MiB - 1, 1024 * MiB - 1}) {
    EXPECT_EQ(translate(PA), PA);
    EXPECT_EQ(translate(KernBase + PA), PA);
  }
}

TEST_F(PageTables, NothingElseIsSeen) {
  ASSERT_TRUE(pagetable_build(Tables, TableAddr, KernBase));
  for (uint64_t VA : {1024 * MiB, 4096 * MiB, uint64_t(1) << 39,
                      KernBase - 1, KernBase + 1024 * MiB, ~uint64_t(0)})
    EXPECT_EQ(translate(VA), Unmapped) << std::hex << VA;
}

TEST_F(PageTables, FollowTheKernelsBase) {
  for (uint64_t Base : {0xffffffffc0000000, 0xffffff8000000000}) {
    ASSERT_TRUE(pagetable_build(Tables, TableAddr, Base));
    EXPECT_EQ(translate(Base + 0x200123), 0x200123u);
    EXPECT_EQ(translate(KernBase), Unmapped);
  }
}

TEST_F(PageTables, OddBasesAreRefused) {
  for (uint64_t Base : {uint64_t(0), KernBase + 2 * MiB, 0x80000000UL,
                        0x7fffffff80000000UL})
    EXPECT_FALSE(pagetable_build(Tables, TableAddr, Base)) << std::hex << Base;
}

} // namespace
