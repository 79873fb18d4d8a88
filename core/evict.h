/* SPDX-License-Identifier: MIT
 *
 * evict.h owns what an eviction policy provides. A policy arranges entries in queues (layout.h);
 * clean.c walks the oldest extent of a queue and asks about each live record that it meets.
 */
#ifndef FC_EVICT_H
#define FC_EVICT_H

#include "entry.h"

/* Second chances that one set may give before it drops what comes next; bounds its work. */
#define EVICTION_SECOND_CHANCES 8u

typedef struct verdict {
    bool stays;
    bool leaves_ghost; /* if it does not stay */
    enum queue queue;  /* if it stays: where it goes, and */
    uint32_t mark;     /* its mark then */
} verdict;

typedef struct eviction_policy {
    /* Where a new entry goes. */
    enum queue (*admit)(const shard *s, uint64_t hash);
    /* From which queue something has to leave. `by_count`: entries are short, not bytes. */
    enum queue (*choose)(const shard *s, bool by_count);
    /* What becomes of an entry, now that the part at `part` is met in `queue`. */
    verdict (*judge)(enum queue queue, const found *entry, const record *part);
} eviction_policy;

extern const eviction_policy evict_lru;
extern const eviction_policy evict_s3fifo;

static inline const eviction_policy *eviction_of(const shard *s) {
    return s->cache->eviction == FC_EVICTION_S3FIFO ? &evict_s3fifo : &evict_lru;
}

/* The number of reads since the mark was last set, 0 to 3. */
static inline uint32_t entry_mark(const found *entry) {
    return min_u32(word_mark(entry->value), WORD_MARK_MAX);
}

#endif
