/* The lock's owner dies; another takes the lock over and lets it go; then the slot's next owner takes it. Each sees all
   that the one before it stored. */
/* spare: take_over_acquire -- the incarnation's acquire stands before it */
#include "order.h"

enum {
    none,
    incarnation_release,
    incarnation_acquire,
    take_over_acquire,
    let_go_release,
    take_acquire
};

static word_t lock, notes, incarnation;

/* The owner, 11, and then its slot's next owner. */
static void *die(void *unused) {
    store_relaxed(&notes, 1);
    /* site: core/process.c process_attach: store_u32_release(&c->slot->incarnation, incarnation) */
    store_release(incarnation_release, &incarnation, 2);
    /* site: core/lock.c take_free: cas_u64_acquire(&shard->lock, &expected, c->owner | waiters) */
    if (cas_acquire(take_acquire, &lock, 0, 21)) {
        assert(load_relaxed(&notes) == 2);
    }
    return unused;
}

static void *inherit(void *unused) {
    /* site: core/process.c process_alive: load_u32_acquire(&cache_slot(c, slot)->incarnation) */
    if (load_acquire(incarnation_acquire, &incarnation) == 1) return unused;
    /* site: core/lock.c take_over: cas_u64_acquire(&shard->lock, &word, c->owner | WAITERS) */
    if (!cas_acquire(take_over_acquire, &lock, 11, 12)) return unused;
    assert(load_relaxed(&notes) == 1);
    store_relaxed(&notes, 2);
    /* site: core/lock.c lock_release: cas_u64_release(&shard->lock, &word, 0) */
    bool is_ours = cas_release(let_go_release, &lock, 12, 0);
    assert(is_ours);
    return unused;
}

int main(void) {
    for (int round = 0; round < ROUNDS; round++) {
        store_relaxed(&lock, 11);
        store_relaxed(&notes, 0);
        store_relaxed(&incarnation, 1);
        race(die, inherit);
    }
}
