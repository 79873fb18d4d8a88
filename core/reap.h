/* SPDX-License-Identifier: MIT
 *
 * reap.h owns the survey that finds the space of invalidated entries (contract W3): a hand that
 * goes round the extents of a shard, and drops what its tags have killed.
 *
 * A lap begins where the hand stands whenever an invalidation has ended since the last one
 * began, and ends there again: then all that was dead at its begin is gone. So it does when an
 * entry is written that is dead already, for the hand may have passed by (entry.c): its call began
 * before the invalidation, or it moved just then. Extents in which no entry with tags was stored
 * are passed by. Needs the shard's lock.
 */
#ifndef FC_REAP_H
#define FC_REAP_H

#include "tag.h"

/* May there be invalidated entries that a lap would find? */
static inline bool reap_due(const shard *s) {
    const shard_header *h = s->header;
    return load_u64_relaxed(&h->reap_seen) != tag_ended(s->cache) ||
           load_u32_relaxed(&h->reap_left) != 0 ||
           load_u32_relaxed(&h->walks[WALK_REAP].extent) != EXTENT_NONE;
}
/* Goes on by `advance` bytes of records, and no further than a lap. Returns the bytes looked at:
 * headers, and the words behind them. *dropped becomes true if an entry was dropped. */
uint64_t reap(const shard *s, uint64_t advance, bool *dropped);

#endif
