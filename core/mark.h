/* SPDX-License-Identifier: MIT
 *
 * mark.h owns the access mark: what a read writes into an index word, and all that it writes.
 *
 *   lru      the shard's epoch, its low 8 bits: at most one store per entry and epoch
 *   s3-fifo  the number of reads, up to 3: at most three stores per entry
 */
#ifndef FC_MARK_H
#define FC_MARK_H

#include "bucket.h"
#include "include/fastcache.h"
#include "shard.h"

#define MARK_READS_MAX 3u

/* The mark of an entry that had `mark` and is used now. */
static inline uint32_t mark_after_use(const shard *s, uint32_t mark) {
    if (s->cache->eviction == FC_EVICTION_S3FIFO)
        return mark < MARK_READS_MAX ? mark + 1 : MARK_READS_MAX;
    return (uint8_t)load_u64_relaxed(&s->header->epoch);
}

static inline void mark_store(uint64_t *word, uint32_t mark) {
    store_u8_relaxed((uint8_t *)word + WORD_MARK_BYTE, (uint8_t)mark);
}

#endif
