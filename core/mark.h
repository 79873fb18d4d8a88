/* SPDX-License-Identifier: MIT
 *
 * mark.h owns the access mark: what a read writes into an index word, and all that it writes to
 * shared memory but its own counters.
 *
 *   lru      epochs from that of the record's extent to the last use, up to 255: at most one store
 *            per entry and epoch
 *   s3-fifo  the number of reads, up to 3: at most three stores per entry
 */
#ifndef FC_MARK_H
#define FC_MARK_H

#include "bucket.h"
#include "shard.h"

#define MARK_READS_MAX 3u

#define MARK_EPOCHS_MAX 255u

/* The mark of an entry that had `mark`, whose record lies in `extent`, and which is used now. */
static inline uint32_t mark_after_use(const shard *s, uint32_t extent, uint32_t mark) {
    if (s->cache->marks_count_reads) return mark < MARK_READS_MAX ? mark + 1 : MARK_READS_MAX;
    const uint64_t since =
        load_u64_relaxed(&s->header->epoch) - load_u64_relaxed(&s->lives[extent].epoch);
    return (uint32_t)min_u64(since, MARK_EPOCHS_MAX);
}

/* By the lock holder, who knows that the word is one. */
static inline void mark_store(uint64_t *word, uint32_t mark) {
    store_u8_relaxed((uint8_t *)word + WORD_MARK_BYTE, (uint8_t)mark);
}

/* By a reader that found `value` there. By now the index may have shrunk, and records may lie where
 * the word was: nothing is stored unless it is still the same. */
static inline void mark_note(uint64_t *word, uint64_t value, uint32_t mark) {
    const uint64_t marked = (value & ~(0xffull << WORD_MARK_SHIFT)) | (uint64_t)mark
                                                                          << WORD_MARK_SHIFT;
    cas_u64_relaxed(word, &value, marked);
}

#endif
