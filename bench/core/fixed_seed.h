/* SPDX-License-Identifier: MIT
 *
 * fixed_seed.h makes measured programs repeatable: where a key's word lies depends on the segment's
 * hash seed, which is random, and some places cost more: one word in a shard's stash, and every miss
 * in that shard looks through it.
 */
#ifndef BENCH_FIXED_SEED_H
#define BENCH_FIXED_SEED_H

#include "cache.h"
#include "handle.h"

/* It leaves the stashes in instructions.c empty, as most seeds do. */
#define FIXED_SEED 2ull

/* Before anything is stored in the segment, and for each handle on it: the superblock keeps its own. */
static inline void seed_fix(uint32_t handle, uint64_t seed) {
    ((cache *)handle_get(handle))->hash_seed = seed;
}

#endif
