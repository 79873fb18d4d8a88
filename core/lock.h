/* SPDX-License-Identifier: MIT
 *
 * lock.h owns each shard's lock word:
 *
 *   63                   32 31 30 29     11 10               0
 *   | owner's incarnation  | W | S | since | owner's slot + 1  |     0: nobody
 *
 * W says that somebody may sleep on the low half. `since` tells since when somebody has waited for
 * this acquisition, in ms of cache time modulo 2^19, 0 for nobody; S that somebody has waited for
 * STALLED_MS: `since` may have gone round since then. They leave with the word. Only the owner
 * clears it, unless it is dead by process_alive(); then exactly one waiter takes over, by one CAS.
 */
#ifndef FC_LOCK_H
#define FC_LOCK_H

#include "cache.h"

typedef enum lock_result {
    LOCK_TAKEN,      /* as any lock */
    LOCK_TAKEN_OVER, /* from a dead owner: recount before use */
    LOCK_BUSY        /* the owner is alive, and somebody has waited for it for c->lock_wait_ms */
} lock_result;

lock_result lock_acquire(const cache *c, shard_header *shard);
/* LOCK_TAKEN, LOCK_TAKEN_OVER (asks about the owner at most once), or LOCK_BUSY at once. */
lock_result lock_try(const cache *c, shard_header *shard);
void lock_release(const cache *c, shard_header *shard);
/* False if a waiter believed us dead and took over: then leave the shard alone. Asked before each
 * store that readers see (index words, chunk locations, deadlines). That only narrows the time in
 * which somebody who wrongly seemed dead does harm, to the few instructions between question and
 * store; what keeps the living from seeming dead is their byte lock (process.h). */
bool lock_is_ours(const cache *c, const shard_header *shard);
/* The owner as process_alive() takes it; 0 for nobody. */
uint64_t lock_owner(const shard_header *shard);

#endif
