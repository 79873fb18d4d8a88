/* SPDX-License-Identifier: MIT
 *
 * shard.h owns the view of one shard, and composes its lock, index and log.
 *
 * Invariant: whatever instruction a lock holder dies at, every index word is empty or names a
 * complete record. So a take-over rebuilds the holder's own notes (lines 2 and 3 of the header
 * and the extent states) from the index; nothing has to be undone.
 */
#ifndef FC_SHARD_H
#define FC_SHARD_H

#include "cache.h"
#include "hash.h"

typedef struct shard {
    const cache *cache;
    const geometry *geometry;
    shard_header *header;
    bucket *stash;
    uint64_t *generations;
    extent_state *states;
    uint32_t *directory;
    uint8_t *extents;
} shard;

/* `index` < geometry.shards. */
static inline shard shard_at(const cache *c, uint32_t index) {
    const geometry *g = &c->geometry;
    uint8_t *base = c->base + g->shards_offset + index * g->shard_stride;
    return (shard){
        .cache = c,
        .geometry = g,
        .header = (shard_header *)base,
        .stash = (bucket *)(base + sizeof(shard_header)),
        .generations = (uint64_t *)(base + SHARD_GENERATIONS_OFFSET),
        .states = (extent_state *)(base + g->states_offset),
        .directory = (uint32_t *)(base + g->directory_offset),
        .extents = base + g->extents_offset,
    };
}

static inline shard shard_of(const cache *c, uint64_t hash) {
    return shard_at(c, hash_shard(hash, c->geometry.shards));
}

/* FC_OK, FC_BUSY, or FC_CORRUPT (the lock is not held then). */
int32_t shard_lock(const shard *s);
/* The same, without waiting. */
int32_t shard_try_lock(const shard *s);
void shard_unlock(const shard *s);

/* Rebuilds the lock holder's notes from the index, dropping words that name no complete
 * record of their own bucket. FC_OK or FC_CORRUPT. Needs the lock; cost grows with the entries. */
int32_t shard_recount(const shard *s);

#endif
