/* SPDX-License-Identifier: MIT
 *
 * evict_lru.c approximates LRU with a counter of two bits per entry (a CLOCK that counts, after
 * Corbató, "A paging experiment with the Multics system"): each read raises it to at most 3,
 * each second chance costs one. The one queue is walked oldest first.
 *
 * A value in several parts is met several times; the mark is spent at the last, its head.
 */
#include "evict.h"

static enum queue admit(const shard *s, uint64_t hash) {
    (void)s;
    (void)hash;
    return QUEUE_MAIN;
}

static enum queue choose(const shard *s, bool by_count) {
    (void)s;
    (void)by_count;
    return QUEUE_MAIN;
}

static verdict judge(enum queue queue, const found *entry, const record *part) {
    uint32_t mark = entry_mark(entry);
    bool whole = part->header.form != RECORD_CHUNK;
    return (verdict){.stays = mark > 0, .queue = queue, .mark = whole && mark ? mark - 1 : mark};
}

const eviction_policy evict_lru = {admit, choose, judge};
