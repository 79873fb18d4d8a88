/* SPDX-License-Identifier: MIT
 *
 * expire.c: see expire.h. Each extent knows a time before which none of its records expires
 * (deadline_min), and so does the shard. The sweep walks extents whose time has come, a few
 * records per call, and notes the earliest deadline that is still ahead.
 */
#include "expire.h"

#include "entry.h"

/* An extent where something may be due; else brings the shard's bound up to date. */
static uint32_t due_extent(const shard *s, uint64_t now_ms) {
    uint64_t earliest = DEADLINE_NONE;
    for (uint32_t e = 0; e < s->geometry->extents; e++) {
        if (load_u32_relaxed(&s->states[e].kind) != EXTENT_DATA) continue;
        uint64_t bound = load_u64_relaxed(&s->states[e].deadline_min);
        if (bound <= now_ms) return e;
        earliest = min_u64(earliest, bound);
    }
    store_u64_relaxed(&s->header->deadline_min, earliest);
    return EXTENT_NONE;
}

/* One record; drops its entry if that has expired. The record's size, 0 at a damaged one. */
static uint32_t sweep_record(const shard *s, uint64_t offset, uint64_t now_ms) {
    record r;
    if (!record_load(s, offset, &r)) return 0;
    const uint64_t deadline_ms = r.header.deadline_ms;
    if (!r.key || deadline_ms == 0) return r.size;
    if (deadline_ms > now_ms) {
        log_lower_deadline(&s->header->sweep_deadline_min, deadline_ms);
        return r.size;
    }
    found entry;
    uint64_t hash = record_hash(s, &r);
    if (index_find_part(s, hash, offset, &entry)) {
        (void)entry_drop(s, &entry);
        cache_count(s->cache, COUNT_EXPIRATIONS, 1);
    }
    return r.size;
}

uint32_t expire_sweep(const shard *s, uint64_t now_ms, uint32_t records_max) {
    walk *at = &s->header->walks[WALK_SWEEP];
    uint32_t extent = load_u32_relaxed(&at->extent);
    if (extent >= s->geometry->extents) {
        if (load_u64_relaxed(&s->header->deadline_min) > now_ms) return 0;
        extent = due_extent(s, now_ms);
        if (extent == EXTENT_NONE) return 0;
        store_u64_relaxed(&s->header->sweep_deadline_min, DEADLINE_NONE);
        store_u32_relaxed(&at->position, 0);
        store_u32_relaxed(&at->extent, extent);
    }
    for (uint32_t done = 0; done < records_max; done++) {
        uint32_t position = load_u32_relaxed(&at->position);
        uint32_t used =
            min_u32(load_u32_relaxed(&s->states[extent].used), s->geometry->extent_bytes);
        uint32_t size =
            position < used ? sweep_record(s, extent_offset(s, extent) + position, now_ms) : 0;
        /* Dropping the last live record frees the extent and ends the walk. */
        if (load_u32_relaxed(&at->extent) != extent) return done + 1;
        if (size == 0) {
            store_u64_relaxed(&s->states[extent].deadline_min,
                              load_u64_relaxed(&s->header->sweep_deadline_min));
            store_u32_relaxed(&at->extent, EXTENT_NONE);
            return done + 1;
        }
        store_u32_relaxed(&at->position, position + size);
    }
    return records_max;
}
