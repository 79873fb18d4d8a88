/* SPDX-License-Identifier: MIT
 *
 * lock.c: see lock.h. A waiter spins briefly, then sleeps in slices of SLICE_US; after each
 * slice it asks the kernel whether the owner lives. So a dead owner costs a few
 * milliseconds once, and a live one that never lets go costs lock_wait_ms.
 */
#include "lock.h"

#include "os/os.h"
#include "process.h"

#define WAITERS (1ull << 31)
#define SPINS 64
#define SLICE_US 2000u

static uint64_t owner_of(uint64_t word) { return word & ~WAITERS; }

static bool take_free(const cache *c, shard_header *shard, uint64_t waiters) {
    uint64_t expected = 0;
    return cas_u64_acquire(&shard->lock, &expected,
                           c->owner | waiters); /* pairs with lock_release */
}

/* One waiter wins the CAS from the dead owner's word; it keeps W for the others. */
static bool take_over(const cache *c, shard_header *shard, uint64_t word) {
    if (!cas_u64_acquire(&shard->lock, &word, c->owner | WAITERS)) return false;
    cache_count(c, COUNT_TAKEOVERS, 1);
    return true;
}

static lock_result wait_for(const cache *c, shard_header *shard) {
    cache_count(c, COUNT_LOCK_WAITS, 1);
    const uint64_t deadline_us = os_uptime_us() + (uint64_t)c->lock_wait_ms * 1000;
    do {
        uint64_t word = load_u64_relaxed(&shard->lock);
        if (word == 0) {
            if (take_free(c, shard, WAITERS)) return LOCK_TAKEN;
            continue;
        }
        if (!(word & WAITERS) && !cas_u64_acquire(&shard->lock, &word, word | WAITERS)) continue;
        os_wait((uint32_t *)&shard->lock, (uint32_t)(word | WAITERS), SLICE_US);
        uint64_t now = load_u64_relaxed(&shard->lock);
        if (now == 0) continue;
        if (owner_of(now) == owner_of(word) && !process_alive(c, owner_of(now)) &&
            take_over(c, shard, now))
            return LOCK_TAKEN_OVER;
    } while (os_uptime_us() < deadline_us);
    /* It may have been let go while we were stopped ourselves. */
    return take_free(c, shard, WAITERS) ? LOCK_TAKEN : LOCK_BUSY;
}

lock_result lock_acquire(const cache *c, shard_header *shard) {
    if (likely(take_free(c, shard, 0))) return LOCK_TAKEN;
    for (int i = 0; i < SPINS; i++) {
        cpu_relax();
        if (load_u64_relaxed(&shard->lock) == 0 && take_free(c, shard, 0)) return LOCK_TAKEN;
    }
    return wait_for(c, shard);
}

lock_result lock_try(const cache *c, shard_header *shard) {
    if (take_free(c, shard, 0)) return LOCK_TAKEN;
    uint64_t word = load_u64_relaxed(&shard->lock);
    if (word != 0 && !process_alive(c, owner_of(word)) && take_over(c, shard, word))
        return LOCK_TAKEN_OVER;
    return LOCK_BUSY;
}

void lock_release(const cache *c, shard_header *shard) {
    uint64_t word = c->owner;
    while (!cas_u64_release(&shard->lock, &word, 0)) { /* pairs with take_free, take_over */
        if (owner_of(word) != c->owner) return;
    }
    if (word & WAITERS) os_wake_one((uint32_t *)&shard->lock);
}

bool lock_is_ours(const cache *c, const shard_header *shard) {
    return owner_of(load_u64_relaxed(&shard->lock)) == c->owner;
}
