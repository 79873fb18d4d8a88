/* SPDX-License-Identifier: MIT
 *
 * clean.h owns making room: reclaiming the space of overwritten, deleted and expired entries,
 * and evicting live ones only when the shard is full. Needs the shard's lock.
 *
 * Policy (contract W3, W4), a few records per set:
 *   1. an extent without live bytes is free at once (log.c);
 *   2. expired entries are swept when due (expire.c), and before anything is evicted;
 *   3. while live bytes are under 90 % of the capacity, the extent with the fewest live bytes
 *      is compacted: its live records move to the log's end;
 *   4. beyond that, the first extent of a queue is walked and the eviction policy asked.
 */
#ifndef FC_CLEAN_H
#define FC_CLEAN_H

#include "shard.h"

/* Makes room for an entry in a lane; `replaced` live bytes will go when it is stored. FC_OK; *moved
 * says whether any entry may have moved or gone.
 * FC_CORRUPT if the shard's notes make no sense (recount, then try again). */
int32_t clean_for(const shard *s, uint32_t lane, uint32_t key_len, uint32_t value_len,
                  uint64_t replaced, bool *moved);

/* Evicts until there are fewer than `entries_max` entries. */
int32_t clean_below(const shard *s, uint64_t entries_max);

#endif
