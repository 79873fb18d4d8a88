/* SPDX-License-Identifier: MIT
 *
 * evict.h owns what an eviction policy provides: where entries are placed (lanes, queues and
 * marks: layout.h), and what becomes of a live record that the eviction walk of clean.c meets in
 * the first extent of a queue.
 */
#ifndef FC_EVICT_H
#define FC_EVICT_H

#include "entry.h"

typedef struct verdict {
    bool stays;
    bool leaves_ghost; /* if it does not stay */
    placement where;   /* if it stays */
} verdict;

typedef struct eviction_policy {
    /* Where an entry goes that is written: a new one, or over an `existing` one. */
    placement (*admit)(const shard *s, uint64_t hash, const found *existing);
    /* Where an entry goes that moves for another reason than eviction. */
    placement (*keep)(const shard *s, const found *entry, const record *part);
    /* From which queue something has to leave. `by_count`: entries are short, not bytes. */
    enum queue (*choose)(const shard *s, bool by_count);
    /* What becomes of an entry whose part at `part` is met in `queue`. */
    verdict (*judge)(const shard *s, enum queue queue, const found *entry, const record *part);
} eviction_policy;

extern const eviction_policy evict_lru;
extern const eviction_policy evict_s3fifo;

static inline const eviction_policy *eviction_of(const shard *s) {
    return s->cache->eviction == FC_EVICTION_S3FIFO ? &evict_s3fifo : &evict_lru;
}

#endif
