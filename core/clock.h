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

/* A deadline from now in `ttl_ms`, 0 for ttl_ms 0; fractions are rounded up. */
uint64_t deadline_after(const cache *c, double ttl_ms);
/* Ms from now until a deadline: 0 if it has passed, infinity for none. */
double deadline_distance(const cache *c, uint64_t deadline_ms);

/* The coarse clock decides all but the last milliseconds before a deadline. */
static inline bool deadline_passed(const cache *c, uint64_t deadline_ms) {
    if (likely(deadline_ms == 0)) return false;
    if (likely(deadline_ms > os_uptime_coarse_ms() + c->clock_base_ms + OS_COARSE_LAG_MS))
        return false;
    return clock_now_ms(c) >= deadline_ms;
}

#endif
