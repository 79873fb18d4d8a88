/* SPDX-License-Identifier: MIT
 *
 * expire.h owns time: the cache's clock, deadlines, and the sweep that reclaims expired
 * entries without anyone reading them.
 *
 * Cache time is the system's time since boot, sleep included, plus a base fixed at creation
 * so that it began as calendar time. Setting the clock of the machine moves no deadline.
 */
#ifndef FC_EXPIRE_H
#define FC_EXPIRE_H

#include "cache.h"
#include "shard.h"

/* Called with the creation lock held. */
void clock_begin(superblock *block);
/* The same boot: nothing to do. Another boot: go on from the calendar, never backwards. */
void clock_resume(superblock *block);
/* Notes the time for the next clock_resume. */
void clock_remember(const cache *c);

uint64_t clock_now_ms(const cache *c);

/* A deadline from now in `ttl_ms`, 0 for ttl_ms 0; fractions are rounded up. */
uint64_t deadline_after(const cache *c, double ttl_ms);

static inline bool deadline_passed(const cache *c, uint64_t deadline_ms) {
    return unlikely(deadline_ms != 0) && clock_now_ms(c) >= deadline_ms;
}

/* Notes that a record of `extent` has a deadline, before the record is published. */
void deadline_note(const shard *s, uint32_t extent, uint64_t deadline_ms);

/* Looks at no more than `records_max` records of extents where something is due, and drops
 * what has expired. Returns the number looked at; 0 means that nothing is due. */
uint32_t expire_sweep(const shard *s, uint64_t now_ms, uint32_t records_max);

#endif
