/* SPDX-License-Identifier: MIT
 *
 * stats.c: see stats.h.
 */
#include "stats.h"

#include "clean.h"
#include "clock.h"
#include "guard.h"
#include "index.h"
#include "log.h"
#include "os/os.h"
#include "process.h"
#include "reap.h"
#include "tag.h"

/* Bytes of records that one call looks at to drop what has expired, over all shards (some 50 ms
 * where they are small), and while it holds one shard's lock. */
#define LOOKED_MAX (4u << 20)
#define LOOKED_AT_ONCE (256u << 10)
#define SPLITS_UNDONE 1024u

/* A hash has scattered the slots: the first are as good as all, and this takes some 20 us. */
#define TAG_SLOTS_LOOKED_MAX 65536u

/* Drops what has expired or was invalidated, where the shard is free: whoever holds it meanwhile
 * does it himself. Lets go of the lock between any two parts, so that nobody waits for long. */
static uint64_t drop_expired(const shard *s, uint64_t looked_max) {
    uint64_t looked = 0;
    bool more = true;
    while (more && looked < looked_max) {
        const bool nothing_due =
            load_u64_relaxed(&s->header->expired_max) == 0 &&
            load_u64_relaxed(&s->header->expired_until_ms) > clock_now_ms(s->cache);
        if (nothing_due && !reap_due(s) && !index_wants_shrinking(s)) break;
        if (guard_try_lock(s) != FC_OK) break;
        more = clean_expired(s, LOOKED_AT_ONCE);
        index_shrink(s, SPLITS_UNDONE);
        more |= index_wants_shrinking(s);
        guard_unlock(s);
        looked += LOOKED_AT_ONCE;
    }
    return looked;
}

uint64_t stats_entries(const cache *c) {
    uint64_t entries = 0, looked = 0;
    for (uint32_t i = 0; i < c->geometry.shards; i++) {
        shard s = shard_at(c, i);
        if (looked < LOOKED_MAX) looked += drop_expired(&s, LOOKED_MAX - looked);
        entries += load_u64_relaxed(&s.header->entries);
    }
    return entries;
}

static void read_flights(const cache *c, fc_stats_fields *stats) {
    uint64_t sums[FLIGHT_COUNTERS] = {0};
    for (uint32_t i = 0; i < c->geometry.slots; i++)
        for (int counter = 0; counter < FLIGHT_COUNTERS; counter++)
            sums[counter] += load_u64_relaxed(&cache_slot(c, i)->flights[counter]);
    stats->flights = sums[FLIGHT_RUNS];
    stats->flight_waits = sums[FLIGHT_WAITS];
    stats->stale_served = sums[FLIGHT_STALE];
    stats->leases_refused = sums[FLIGHT_REFUSED];
    stats->store_failures = sums[FLIGHT_STORE_FAILURES];
    for (uint32_t i = 0; i < c->geometry.shards; i++) {
        const shard s = shard_at(c, i);
        stats->leases_taken_over += load_u64_relaxed(&s.header->leases_taken_over);
        stats->leases_fenced += load_u64_relaxed(&s.header->leases_fenced);
    }
}

void stats_read(const cache *c, fc_stats_fields *stats) {
    *stats = (fc_stats_fields){0};
    stats->entries = stats_entries(c);
    for (uint32_t i = 0; i < c->geometry.shards; i++) {
        shard s = shard_at(c, i);
        stats->bytes_used += load_u64_relaxed(&s.header->live_bytes);
        stats->capacity_bytes += log_capacity(&s);
    }
    uint64_t sums[COUNTERS] = {0};
    for (uint32_t i = 0; i < c->geometry.slots; i++)
        for (int counter = 0; counter < COUNTERS; counter++)
            sums[counter] += load_u64_relaxed(&cache_slot(c, i)->counters[counter]);
    stats->hits = sums[COUNT_HITS];
    stats->misses = sums[COUNT_MISSES];
    stats->sets = sums[COUNT_SETS];
    stats->deletes = sums[COUNT_DELETES];
    stats->evictions = sums[COUNT_EVICTIONS];
    stats->expirations = sums[COUNT_EXPIRATIONS];
    stats->lock_waits = sums[COUNT_LOCK_WAITS];
    stats->takeovers = sums[COUNT_TAKEOVERS];
    read_flights(c, stats);
    stats->processes = process_count(c);
    stats->invalidations = tag_now(c);
    stats->tag_slots_looked = TAG_SLOTS_LOOKED_MAX;
    stats->tag_slots_raised = tag_raised(c, &stats->tag_slots_looked);
    os_file_state file;
    stats->replaced = c->named && os_file_state_get(c->fd, &file) == 0 && !file.linked;
}

void stats_info(const cache *c, fc_info_fields *info) {
    const geometry *g = &c->geometry;
    *info = (fc_info_fields){
        .kind = c->kind,
        .size_bytes = g->size_bytes,
        .shards = g->shards,
        .max_entries = g->max_entries,
        .value_len_max = g->value_len_max,
        .key_len_max = FC_KEY_LEN_MAX,
        .eviction = c->eviction,
        .layout_version = LAYOUT_VERSION,
        .data_bytes = g->shard_data_bytes * g->shards,
        .extent_bytes = g->extent_bytes,
        .processes_max = g->slots,
        .fd = c->shared_fd >= 0 ? (uint64_t)c->shared_fd : FC_FD_NONE,
    };
}
