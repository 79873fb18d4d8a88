/* SPDX-License-Identifier: MIT
 *
 * due.h owns the histogram in each extent's state: how many of its live bytes have a deadline in
 *
 *   bucket 0   before base + u         (u = 2^unit_shift ms)
 *   bucket j   from base + 2^(j-1) u, before base + 2^j u
 *   bucket 7   from base + 64 u
 *
 * Each store, drop and touch changes it exactly. So at a time t that lies in bucket c, all bytes of
 * the buckets before c have expired, those of c are undecided, and no others have expired.
 * A survey (clean.c) moves base and u so that little is undecided. Needs the shard's lock.
 */
#ifndef FC_DUE_H
#define FC_DUE_H

#include "atomic.h"
#include "check.h"
#include "layout.h"

/* The bucket of a deadline, or of a time. */
static inline uint32_t due_bucket(const extent_state *e, uint64_t time_ms) {
    const uint64_t base = load_u64_relaxed(&e->base_ms);
    const uint32_t shift = load_u32_relaxed(&e->unit_shift) & 63;
    if (time_ms < base) return 0;
    const uint64_t units = (time_ms - base) >> shift;
    return units ? min_u32(64 - (uint32_t)__builtin_clzll(units), DUE_BUCKETS - 1) : 0;
}

/* When bucket j > 0 begins. */
static inline uint64_t due_begin(const extent_state *e, uint32_t j) {
    const uint32_t shift = load_u32_relaxed(&e->unit_shift) + j - 1;
    return load_u64_relaxed(&e->base_ms) + (1ull << min_u32(shift, 62));
}

static inline void due_reset(extent_state *e) {
    store_u64_relaxed(&e->base_ms, 0);
    for (uint32_t j = 0; j < DUE_BUCKETS; j++) store_u32_relaxed(&e->due[j], 0);
}

/* `size` live bytes come with a deadline, 0 for none. The first one tells how long a unit is. */
static inline void due_add(extent_state *e, uint64_t deadline_ms, uint32_t size, uint64_t now_ms) {
    if (load_u64_relaxed(&e->base_ms) == 0) {
        const uint64_t ttl_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
        store_u64_relaxed(&e->base_ms, now_ms);
        store_u32_relaxed(&e->unit_shift, ttl_ms < 16 ? 0 : 60 - (uint32_t)__builtin_clzll(ttl_ms));
    }
    uint32_t *bytes = &e->due[due_bucket(e, deadline_ms)];
    store_u32_relaxed(bytes, load_u32_relaxed(bytes) + size);
}

/* They go; a damaged count does not wrap. */
static inline void due_subtract(extent_state *e, uint64_t deadline_ms, uint32_t size) {
    uint32_t *bytes = &e->due[due_bucket(e, deadline_ms)];
    const uint32_t before = load_u32_relaxed(bytes);
    store_u32_relaxed(bytes, before - min_u32(size, before));
}

typedef struct due_sums {
    uint32_t expired;
    uint32_t undecided;
    uint64_t until_ms; /* both hold before this time, unless something comes or goes */
} due_sums;

static inline due_sums due_at(const extent_state *e, uint64_t now_ms) {
    due_sums sums = {0, 0, TIME_NONE};
    if (load_u64_relaxed(&e->base_ms) == 0) return sums;
    const uint32_t present = due_bucket(e, now_ms);
    for (uint32_t j = 0; j < present; j++) sums.expired += load_u32_relaxed(&e->due[j]);
    sums.undecided = load_u32_relaxed(&e->due[present]);
    for (uint32_t j = present + 1; j < DUE_BUCKETS; j++) {
        if (load_u32_relaxed(&e->due[j]) == 0) continue;
        sums.until_ms = due_begin(e, j);
        break;
    }
    return sums;
}

#endif
