/* SPDX-License-Identifier: MIT
 *
 * guard.h owns who may change a shard: its lock, and what a take-over from a dead owner entails.
 *
 * Invariant: whatever instruction a lock holder dies at, every index word is empty or names a
 * complete record. So a take-over rebuilds the holder's own notes (lines 2 and 3 of the header
 * and the extent states) from the index; nothing has to be undone.
 *
 * In debug builds the walker looks at the shard before the lock is let go, once in as many unlocks
 * as the shard has entries.
 */
#ifndef FC_GUARD_H
#define FC_GUARD_H

#include "shard.h"

/* FC_OK, FC_BUSY, or FC_CORRUPT (the lock is not held then). */
int32_t guard_lock(const shard *s);
/* The same, without waiting. */
int32_t guard_try_lock(const shard *s);
void guard_unlock(const shard *s);

/* Rebuilds the lock holder's notes from the index, dropping words that name no complete
 * record of their own bucket. FC_OK or FC_CORRUPT. Needs the lock; cost grows with the entries. */
int32_t guard_recount(const shard *s);

#endif
