/* SPDX-License-Identifier: MIT
 *
 * stats.c: see stats.h.
 */
#include "stats.h"

#include "clock.h"
#include "expire.h"
#include "guard.h"
#include "log.h"
#include "process.h"

#define SWEEP_RECORDS 256u

/* Drops what has expired, where something is due and the shard is free. Whoever holds the shard
 * meanwhile sweeps it itself. */
static bool sweep_part(const shard *s) {
    if (load_u64_relaxed(&s->header->deadline_min) > clock_now_ms(s->cache)) return false;
    if (guard_try_lock(s) != FC_OK) return false;
    const uint32_t looked_at = expire_sweep(s, clock_now_ms(s->cache), SWEEP_RECORDS);
    guard_unlock(s);
    return looked_at != 0;
}

/* Lets go of the lock between any two parts, so that nobody waits for a large sweep. */
static void sweep(const shard *s) {
    const uint64_t parts_max = s->geometry->shard_data_bytes / RECORD_HEADER / SWEEP_RECORDS + 1;
    for (uint64_t i = 0; i < parts_max && sweep_part(s); i++) continue;
}

uint64_t stats_entries(const cache *c) {
    uint64_t entries = 0;
    for (uint32_t i = 0; i < c->geometry.shards; i++) {
        shard s = shard_at(c, i);
        sweep(&s);
        entries += load_u64_relaxed(&s.header->entries);
    }
    return entries;
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
    stats->processes = process_count(c);
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
