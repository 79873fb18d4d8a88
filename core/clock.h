/* SPDX-License-Identifier: MIT
 *
 * clock.h owns time: the cache's clock and the deadlines counted on it.
 *
 * Cache time is the system's time since boot, sleep included, plus a base fixed at creation
 * so that it began as calendar time. Setting the clock of the machine moves no deadline.
 */
#ifndef FC_CLOCK_H
#define FC_CLOCK_H

#include "cache.h"
#include "os/os.h"

/* Called with the creation lock held. */
void clock_begin(superblock *block);
/* `rebooted`, or nobody knows: go on from the calendar, never backwards. Else time went on. */
void clock_resume(superblock *block, bool rebooted);
/* Notes the time for the next clock_resume. */
void clock_remember(const cache *c);

uint64_t clock_now_ms(const cache *c);

/* The deadline of what is over before it begins. Cache time began as calendar time, so this has
 * passed in every cache. */
#define DEADLINE_PASSED 1u

/* The same for less, and up to OS_COARSE_LAG_MS behind. */
static inline uint64_t clock_coarse_ms(const cache *c) {
    return os_uptime_coarse_ms() + c->clock_base_ms;
}

/* A deadline from now in `ttl_ms`, fractions rounded up; 0 (none) for ttl_ms 0 and infinity,
 * DEADLINE_PASSED for less than 0. */
uint64_t deadline_after_some(const cache *c, double ttl_ms);
static inline uint64_t deadline_after(const cache *c, double ttl_ms) {
    return likely(ttl_ms == 0) ? 0 : deadline_after_some(c, ttl_ms);
}
/* Ms from now until the deadline of an entry that was just found alive: at least 1, since the clock
 * may have gone on meanwhile; infinity for none. */
double deadline_distance(const cache *c, uint64_t deadline_ms);

/* The coarse clock decides all but the last milliseconds before a deadline. */
static inline bool deadline_passed(const cache *c, uint64_t deadline_ms) {
    if (likely(deadline_ms == 0)) return false;
    if (likely(deadline_ms > clock_coarse_ms(c) + OS_COARSE_LAG_MS)) return false;
    return clock_now_ms(c) >= deadline_ms;
}

#endif
