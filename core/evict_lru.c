/* SPDX-License-Identifier: MIT
 *
 * evict_lru.c is LRU in epochs. An epoch ends when the shard has taken in a quarter of its
 * capacity. A read notes the present epoch in the entry's mark; extents bear the epoch of what is
 * appended to them. The extent of the lowest epoch is walked first: an entry that was used in a
 * later epoch than the extent's moves to where its last use belongs (the present epoch, or the
 * one before for all earlier ones), any other leaves. So an entry moves at most once per
 * epoch, however often it is read, and leaves in the order of its last use, give or take an
 * epoch.
 *
 * Close relatives are WSClock (Carr, Hennessy, "WSClock", SOSP 1981), which also keeps times of
 * last use, and the aging segments of Segcache (Yang et al., NSDI 2021).
 *
 * Marks are 8 bits: a last use more than 255 epochs (64 turnovers) ago may look recent, once.
 */
#include "evict.h"
#include "mark.h"

#define EPOCHS_PER_TURNOVER 4u
#define LANE_NOW 0u
#define LANE_EARLIER 1u

static void epoch_count(const shard *s) {
    shard_header *h = s->header;
    uint64_t entries = load_u64_relaxed(&h->epoch_entries) + 1;
    store_u64_relaxed(&h->epoch_entries, entries);
    uint64_t entries_max = s->geometry->shard_entries_max / EPOCHS_PER_TURNOVER;
    if (entries > entries_max ||
        load_u64_relaxed(&h->epoch_bytes) > log_capacity(s) / EPOCHS_PER_TURNOVER)
        log_epoch_end(s);
}

static placement admit(const shard *s, uint64_t hash, const found *existing) {
    (void)hash;
    (void)existing;
    epoch_count(s);
    return (placement){LANE_NOW, mark_after_use(s, 0)};
}

/* The epoch of the entry's last use, from the mark's 8 bits. */
static uint64_t last_use(const shard *s, const found *entry) {
    uint64_t now = load_u64_relaxed(&s->header->epoch);
    return now - (uint8_t)(now - word_mark(entry->value));
}

static placement keep(const shard *s, const found *entry, const record *part) {
    (void)part;
    bool now = last_use(s, entry) == load_u64_relaxed(&s->header->epoch);
    return (placement){now ? LANE_NOW : LANE_EARLIER, word_mark(entry->value)};
}

static enum queue choose(const shard *s, bool by_count) {
    (void)s;
    (void)by_count;
    return QUEUE_MAIN;
}

static verdict judge(const shard *s, enum queue queue, const found *entry, const record *part) {
    (void)queue;
    uint64_t epoch = load_u64_relaxed(&s->states[part->extent].epoch);
    return (verdict){.stays = last_use(s, entry) > epoch, .where = keep(s, entry, part)};
}

const eviction_policy evict_lru = {admit, keep, choose, judge};
