/* SPDX-License-Identifier: MIT
 *
 * clean.h owns making room: one cleaner reclaims the space of overwritten, deleted and expired
 * entries, and evicts live ones only when the shard is full. Needs the shard's lock.
 *
 * Invariants (contract W3, W4):
 *  - before expired_until_ms no more than expired_max live bytes have expired; so live bytes less
 *    expired_max are a lower bound of what is truly live, and nothing is evicted while that bound
 *    and what is being added are under 90 % of the capacity;
 *  - a set pays at most 16 times its bytes moved and 32 times its bytes looked at, and beyond that
 *    only while fewer extents are free than it needs and LOG_RESERVE.
 */
#ifndef FC_CLEAN_H
#define FC_CLEAN_H

#include "log.h"

/* Makes room for an entry in a lane; `replaced` live bytes will go when it is stored, `spent` bytes
 * were moved for it already. FC_OK; *moved says whether any entry may have moved or gone.
 * FC_CORRUPT if the shard's notes make no sense (recount, then try again). */
int32_t clean_for(const shard *s, uint32_t lane, uint32_t words, uint32_t key_len,
                  uint32_t value_len, uint64_t replaced, uint64_t spent, bool *moved);

/* Reclaims expired and invalidated entries, then evicts, until there are fewer than `entries_max`
 * entries, for a set of `size` bytes. */
int32_t clean_below(const shard *s, uint64_t entries_max, uint64_t size);

/* Works on making an extent free, whatever lies there: moves what is live, as a set of `size` bytes
 * has to pay. Returns the bytes moved. */
uint64_t clean_extent(const shard *s, uint32_t extent, uint64_t size);

/* Drops expired and invalidated entries, extent by extent, until it has looked at `looked_max`
 * bytes of records. True if some may be left. */
bool clean_expired(const shard *s, uint64_t looked_max);

#endif
