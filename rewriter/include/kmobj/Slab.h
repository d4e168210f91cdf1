/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a slab of kmalloc_obj has room for: KMALLOC_OBJ_PERSLAB() of
 * shims/sys/kmalloc_obj.h, in numbers.
 */
#ifndef KMOBJ_SLAB_H
#define KMOBJ_SLAB_H

#include "llvm/Support/MathExtras.h"
#include <cstdint>

namespace kmobj {

constexpr uint64_t SlabBytes = 128 << 10;
constexpr uint64_t CacheLine = 64;
/// What objects and the pointers to them share: there is a header, and a byte
/// of state for each cache line.
constexpr uint64_t SlabRoom = SlabBytes - 352 - SlabBytes / CacheLine;

/// Bytes of a slab that an object of Size bytes takes: whole cache lines, and
/// its pointer.
inline uint64_t bytesInSlab(uint64_t Size) {
  return llvm::alignTo(Size, CacheLine) + 8;
}

/// Would constructed objects of that size leave more than an eighth of a slab
/// empty? These come from kmalloc(): kmalloc_slab_wasteful() in shims/kern.
inline bool isLargeObject(uint64_t Size) {
  return SlabRoom % bytesInSlab(Size) > SlabBytes / 8;
}

} // namespace kmobj

#endif
