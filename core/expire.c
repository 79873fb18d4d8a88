/* SPDX-License-Identifier: MIT
 *
 * expire.c: see expire.h. Each extent knows a time before which none of its records expires
 * (deadline_min), and so does the shard. The sweep walks extents whose time has come, a few
 * records per call, and notes the earliest deadline that is still ahead.
 */
#include "expire.h"

#include <math.h>

#include "entry.h"
#include "os/os.h"

/* ------------------------------------------------------------------- clock */

void clock_begin(superblock *block) {
    block->boot_id = os_boot_id();
    block->clock_base_ms = os_calendar_ms() - os_uptime_ms();
    block->clock_last_ms = os_calendar_ms();
}

void clock_resume(superblock *block) {
    uint64_t boot_id = os_boot_id();
    /* A system that does not tell is taken not to have been booted: others may be attached. */
    if (boot_id != 0 && block->boot_id != boot_id) {
        /* Both clocks are cut to whole ms: with one more, deadlines never come later than before. */
        uint64_t now = max_u64(os_calendar_ms() + 1, block->clock_last_ms);
        store_u64_relaxed(&block->clock_base_ms, now - os_uptime_ms());
        store_u64_relaxed(&block->boot_id, boot_id);
    }
    store_u64_relaxed(&block->clock_last_ms, os_uptime_ms() + block->clock_base_ms);
}

void clock_remember(const cache *c) {
    store_u64_relaxed(&cache_superblock(c)->clock_last_ms, clock_now_ms(c));
}

uint64_t clock_now_ms(const cache *c) {
    return os_uptime_ms() + c->clock_base_ms + c->clock_offset_ms;
}

uint64_t deadline_after(const cache *c, double ttl_ms) {
    return ttl_ms > 0 ? clock_now_ms(c) + (uint64_t)ceil(ttl_ms) : 0;
}

/* --------------------------------------------------------------- deadlines */

static void lower(uint64_t *bound, uint64_t deadline_ms) {
    if (deadline_ms < load_u64_relaxed(bound)) store_u64_relaxed(bound, deadline_ms);
}

void deadline_note(const shard *s, uint32_t extent, uint64_t deadline_ms) {
    if (deadline_ms == 0) return;
    lower(&s->states[extent].deadline_min, deadline_ms);
    lower(&s->header->deadline_min, deadline_ms);
    if (load_u32_relaxed(&s->header->walks[WALK_SWEEP].extent) == extent)
        lower(&s->header->sweep_deadline_min, deadline_ms);
}

/* ------------------------------------------------------------------- sweep */

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

/* One record; drops its entry if that has expired. Returns the record's size, 0 at a damaged one. */
static uint32_t sweep_record(const shard *s, uint64_t offset, uint64_t now_ms) {
    record r;
    if (!record_load(s, offset, &r)) return 0;
    const uint64_t deadline_ms = r.header.deadline_ms;
    if (!r.key || deadline_ms == 0) return r.size;
    if (deadline_ms > now_ms) {
        lower(&s->header->sweep_deadline_min, deadline_ms);
        return r.size;
    }
    found entry;
    uint64_t hash = fc_hash(r.key, r.header.key_len, s->cache->hash_seed);
    if (index_find_part(s, hash, offset, &entry)) {
        entry_drop(s, &entry);
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
            position < used
                ? sweep_record(s, ((uint64_t)extent << s->geometry->extent_shift) + position,
                               now_ms)
                : 0;
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
