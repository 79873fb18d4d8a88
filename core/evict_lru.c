/* SPDX-License-Identifier: MIT
 *
 * evict_lru.c is LRU in epochs. An epoch ends when the shard has taken in a quarter of its
 * capacity in new entries; what is overwritten does not count, so that a hot counter does not age
 * the others. Extents bear the epoch of what is appended to them, a read notes in the entry's mark
 * how many epochs later it came. The extent of the lowest epoch is walked first: an entry that was
 * used in a later epoch than the extent's moves to where its last use belongs (the present epoch,
 * or the one before for all earlier ones), any other leaves. So an entry moves at most once per
 * epoch, however often it is read, and leaves in the order of its last use, give or take an epoch.
 *
 * Close relatives are WSClock (Carr, Hennessy, "WSClock", SOSP 1981), which also keeps times of
 * last use, and the aging segments of Segcache (Yang et al., NSDI 2021).
 *
 * Marks are 8 bits, and stay at 255: who was never used since has 0 for ever.
 */
#include "entry.h"
#include "mark.h"

/* Buckets that a round of splits has not come to yet are up to half fuller than the average; two
 * choices of eight still rarely overflow then, and the stash stays almost empty. */
#define INDEX_LOAD 34u
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
    if (!existing) epoch_count(s);
    return (placement){LANE_NOW, 0};
}

/* Was the entry used in the present epoch? What is written to its lane bears its epoch. */
static placement keep(const shard *s, const found *entry) {
    const uint64_t epoch = load_u64_relaxed(&s->lives[entry->record.extent].epoch);
    const uint64_t last_use = epoch + word_mark(entry->value);
    const bool now = last_use >= load_u64_relaxed(&s->header->epoch);
    return (placement){now ? LANE_NOW : LANE_EARLIER, 0};
}

static enum queue choose(const shard *s, bool by_count) {
    (void)s;
    (void)by_count;
    return QUEUE_MAIN;
}

static verdict judge(const shard *s, enum queue queue, const found *entry) {
    (void)queue;
    return (verdict){.stays = word_mark(entry->value) > 0, .where = keep(s, entry)};
}

const eviction_policy evict_lru = {
    .name = "lru",
    .index_load = INDEX_LOAD,
    .lane_queue = {[LANE_NOW] = QUEUE_MAIN, [LANE_EARLIER] = QUEUE_MAIN},
    .lane_age = {[LANE_NOW] = 0, [LANE_EARLIER] = 1},
    .admit = admit,
    .keep = keep,
    .choose = choose,
    .judge = judge,
};
