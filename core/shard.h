/* SPDX-License-Identifier: MIT
 *
 * shard.h owns the view of one shard: where its parts lie in this process's memory.
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
    lease_line *leases;
    extent_life *lives;
    extent_state *states;
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
        .leases = (lease_line *)(base + SHARD_LEASES_OFFSET),
        .lives = (extent_life *)(base + g->lives_offset),
        .states = (extent_state *)(base + g->states_offset),
        .extents = base + g->extents_offset,
    };
}

static inline shard shard_of(const cache *c, uint64_t hash) {
    return shard_at(c, hash_shard(hash, c->geometry.shards));
}

/* Word `i` of the stash, below STASH_WORDS. */
static inline uint64_t *stash_word(const shard *s, uint32_t i) {
    return &s->stash[i / BUCKET_WORDS].words[i % BUCKET_WORDS];
}

/* The extent that `offset` lies in; not below geometry->extents if it lies in none. */
static inline uint64_t extent_of(const shard *s, uint64_t offset) {
    return offset >> s->geometry->extent_shift;
}
/* Where it lies there. */
static inline uint32_t extent_position(const shard *s, uint64_t offset) {
    return (uint32_t)offset & (s->geometry->extent_bytes - 1);
}
/* Where extent `extent` begins. */
static inline uint64_t extent_offset(const shard *s, uint32_t extent) {
    return (uint64_t)extent << s->geometry->extent_shift;
}

#endif
