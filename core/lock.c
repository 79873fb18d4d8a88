/* SPDX-License-Identifier: MIT
 *
 * lock.c: see lock.h. A waiter spins briefly, then sleeps in slices of SLICE_MS; after each
 * slice it asks the kernel whether the owner lives. So a dead owner costs a few
 * milliseconds once. A live one that does not let go costs the first waiter lock_wait_ms, and those
 * who come later, as long as it keeps the lock, one question to the kernel.
 */
#include "lock.h"

#include "clock.h"
#include "geometry.h"
#include "os/os.h"
#include "process.h"

#define SINCE_SHIFT 11
#define SINCE_MASK 0x7ffffull
#define STALLED (1ull << 30)
#define WAITERS (1ull << 31)
#define OWNER_MASK (~(WAITERS | STALLED | SINCE_MASK << SINCE_SHIFT))

FC_LAYOUT_ASSERT(GEOMETRY_SLOTS_MAX < 1u << SINCE_SHIFT);

#define SPINS 64
#define SLICE_MS 2u
#define STALLED_MS 1000u

static uint64_t owner_of(uint64_t word) { return word & OWNER_MASK; }

/* The word once somebody waits; `since` is never 0 then, and at most a millisecond late. */
static uint64_t waited_for(uint64_t word, uint64_t now_ms) {
    if (word & SINCE_MASK << SINCE_SHIFT) return word;
    return word | WAITERS | ((now_ms | 1) & SINCE_MASK) << SINCE_SHIFT;
}

/* For how long somebody has waited, modulo the field; 0 for a time that has not come. */
static uint64_t waited_ms(uint64_t word, uint64_t now_ms) {
    const uint64_t age_ms = (now_ms - (word >> SINCE_SHIFT)) & SINCE_MASK;
    return age_ms <= SINCE_MASK / 2 ? age_ms : 0;
}

/* Has somebody waited for it as long as we would? */
static bool kept_too_long(const cache *c, uint64_t word, uint64_t now_ms) {
    if (word & STALLED && c->lock_wait_ms <= STALLED_MS) return true;
    return waited_ms(word, now_ms) >= c->lock_wait_ms;
}

static bool take_free(const cache *c, shard_header *shard, uint64_t waiters) {
    uint64_t expected = 0;
    return cas_u64_acquire(&shard->lock, &expected,
                           c->owner | waiters); /* pairs with lock_release */
}

/* One waiter wins the CAS from the dead owner's word; it keeps W for the others. Nothing but
 * what waiters note can have come to that word: W, `since` and S, each once. */
static bool take_over(const cache *c, shard_header *shard, uint64_t word) {
    const uint64_t dead = owner_of(word);
    while (!cas_u64_acquire(&shard->lock, &word, c->owner | WAITERS))
        if (owner_of(word) != dead) return false;
    cache_count(c, COUNT_TAKEOVERS, 1);
    return true;
}

lock_result lock_try(const cache *c, shard_header *shard) {
    if (take_free(c, shard, 0)) return LOCK_TAKEN;
    uint64_t word = load_u64_relaxed(&shard->lock);
    if (word != 0 && !process_alive(c, owner_of(word)) && take_over(c, shard, word))
        return LOCK_TAKEN_OVER;
    return LOCK_BUSY;
}

static lock_result wait_for(const cache *c, shard_header *shard) {
    cache_count(c, COUNT_LOCK_WAITS, 1);
    const uint64_t begun_ms = clock_now_ms(c);
    bool patient;
    do {
        const uint64_t now_ms = clock_now_ms(c);
        /* A slice more, so that of an owner who keeps it throughout `since` says enough. */
        patient = now_ms - begun_ms < (uint64_t)c->lock_wait_ms + SLICE_MS;
        uint64_t word = load_u64_relaxed(&shard->lock);
        if (word == 0) {
            if (take_free(c, shard, WAITERS)) return LOCK_TAKEN;
            continue;
        }
        const uint64_t waited = waited_for(word, now_ms);
        if (waited != word && !cas_u64_acquire(&shard->lock, &word, waited)) continue;
        word = waited;
        if (kept_too_long(c, word, now_ms)) patient = false;
        if (patient) os_wait((uint32_t *)&shard->lock, (uint32_t)word, SLICE_MS * 1000);
        uint64_t now = load_u64_relaxed(&shard->lock);
        if (now == 0) continue;
        if (owner_of(now) == owner_of(word) && !process_alive(c, owner_of(now)) &&
            take_over(c, shard, now))
            return LOCK_TAKEN_OVER;
        /* Only if the word is still the one that `word` tells the age of. */
        if (!patient && waited_ms(word, now_ms) >= STALLED_MS)
            (void)cas_u64_acquire(&shard->lock, &word, word | STALLED);
    } while (patient);
    /* While we were stopped ourselves it may have been let go, or its owner may have died. */
    return take_free(c, shard, WAITERS) ? LOCK_TAKEN : lock_try(c, shard);
}

lock_result lock_acquire(const cache *c, shard_header *shard) {
    if (likely(take_free(c, shard, 0))) return LOCK_TAKEN;
    for (int i = 0; i < SPINS; i++) {
        cpu_relax();
        if (load_u64_relaxed(&shard->lock) == 0 && take_free(c, shard, 0)) return LOCK_TAKEN;
    }
    return wait_for(c, shard);
}

void lock_release(const cache *c, shard_header *shard) {
    uint64_t word = c->owner;
    while (!cas_u64_release(&shard->lock, &word, 0)) { /* pairs with take_free, take_over */
        if (owner_of(word) != c->owner) return;
    }
    if (word & WAITERS) os_wake_one((uint32_t *)&shard->lock);
}

bool lock_is_ours(const cache *c, const shard_header *shard) {
    return lock_owner(shard) == c->owner;
}

uint64_t lock_owner(const shard_header *shard) { return owner_of(load_u64_relaxed(&shard->lock)); }
