/* SPDX-License-Identifier: MIT
 *
 * hash.h owns how one 64-bit hash of a key is cut up:
 *
 *   63       54 53 52 51          36 35  32 31                 0
 *   | shard    |     | tag          |      | first bucket       |
 *
 * The second bucket comes from a finalizer over all 64 bits. Which bits a key has is for good: they
 * lie in segments, which outlive the library that wrote them.
 */
#ifndef FC_HASH_H
#define FC_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Any length, any alignment; `key` is not looked at if `len` is 0. */
uint64_t fc_hash(const void *key, size_t len, uint64_t seed);

static inline uint32_t hash_shard(uint64_t hash, uint32_t shards) {
    return (uint32_t)(hash >> 54) & (shards - 1);
}

static inline uint16_t hash_tag(uint64_t hash) {
    uint16_t tag = (uint16_t)(hash >> 36);
    return tag ? tag : 1;
}

static inline uint32_t hash_first(uint64_t hash) { return (uint32_t)hash; }

/* Finalizer of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
 * generators"). */
static inline uint32_t hash_second(uint64_t hash) {
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ull;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebull;
    return (uint32_t)((hash ^ (hash >> 31)) >> 32);
}

#endif
