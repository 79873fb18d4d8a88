/* SPDX-License-Identifier: MIT
 *
 * clock.c: see clock.h.
 */
#include "clock.h"

#include <math.h>

void clock_begin(superblock *block) {
    block->boot_id = os_boot_id();
    block->clock_base_ms = os_calendar_ms() - os_uptime_ms();
    block->clock_last_ms = os_calendar_ms();
}

void clock_resume(superblock *block, bool rebooted) {
    if (rebooted) {
        /* Both clocks are cut to whole ms: with one more, no deadline comes later than before. */
        uint64_t now = max_u64(os_calendar_ms() + 1, block->clock_last_ms);
        store_u64_relaxed(&block->clock_base_ms, now - os_uptime_ms());
        store_u64_relaxed(&block->boot_id, os_boot_id());
    }
    store_u64_relaxed(&block->clock_last_ms, os_uptime_ms() + block->clock_base_ms);
}

void clock_remember(const cache *c) {
    store_u64_relaxed(&cache_superblock(c)->clock_last_ms, clock_now_ms(c));
}

uint64_t clock_now_ms(const cache *c) { return os_uptime_ms() + c->clock_base_ms; }

uint64_t deadline_after_some(const cache *c, double ttl_ms) {
    if (ttl_ms < 0) return DEADLINE_PASSED;
    return ttl_ms > 0 && !isinf(ttl_ms) ? clock_now_ms(c) + (uint64_t)ceil(ttl_ms) : 0;
}

double deadline_distance(const cache *c, uint64_t deadline_ms) {
    if (deadline_ms == 0) return (double)INFINITY;
    const uint64_t now = clock_now_ms(c);
    return deadline_ms > now ? (double)(deadline_ms - now) : 1;
}
