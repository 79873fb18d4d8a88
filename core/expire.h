/* SPDX-License-Identifier: MIT
 *
 * expire.h owns the sweep, which reclaims expired entries without anyone reading them. Needs the
 * shard's lock.
 */
#ifndef FC_EXPIRE_H
#define FC_EXPIRE_H

#include "shard.h"

/* Looks at no more than `records_max` records of extents where something is due, and drops
 * what has expired. Returns the number looked at; 0 means that nothing is due. */
uint32_t expire_sweep(const shard *s, uint64_t now_ms, uint32_t records_max);

#endif
