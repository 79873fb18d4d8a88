/* A chunk moves into an extent that was opened for it; then its old extent is opened anew. The value is 1 throughout. */
/* spare: sequence_release -- the raise fence stands before it */
#include "order.h"

enum {
    none,
    raise_fence,
    sequence_release,
    location_release,
    sequence_acquire,
    location_acquire,
    check_fence
};

static word_t sequence, location, generation[2], chunk[2];

static void open_extent(int extent, unsigned long number) {
    /* site: core/log.c generation_raise: store_u64_relaxed(&s->lives[extent].generation, sequence) */
    store_relaxed(&generation[extent], number);
    /* site: core/log.c generation_raise: fence_release() */
    fence_release(raise_fence);
    /* site: core/log.c generation_raise: store_u64_release(&s->header->sequence, sequence) */
    store_release(sequence_release, &sequence, number);
}

static void *move_chunk(void *unused) {
    open_extent(1, 2);
    store_relaxed(&chunk[1], 1);
    /* site: core/entry.c entry_move_solid: store_u64_release(&head->locations[i], offset) */
    store_release(location_release, &location, 1);
    open_extent(0, 3);
    store_relaxed(&chunk[0], 2);
    return unused;
}

static void *get(void *unused) {
    /* site: core/read.c read_from: load_u64_acquire(&r.s.header->sequence) */
    unsigned long seen = load_acquire(sequence_acquire, &sequence);
    /* site: core/read.c copy_parts: load_u64_acquire(&head->locations[i]) */
    unsigned long extent = load_acquire(location_acquire, &location);
    unsigned long copied = load_relaxed(&chunk[extent]);
    /* site: core/read.c unchanged: fence_acquire() */
    fence_acquire(check_fence);
    /* site: core/read.c unchanged: load_u64_relaxed(&r->s.lives[extent].generation) */
    if (load_relaxed(&generation[extent]) <= seen) assert(copied == 1);
    return unused;
}

int main(void) {
    for (int round = 0; round < ROUNDS; round++) {
        store_relaxed(&sequence, 1);
        store_relaxed(&location, 0);
        store_relaxed(&generation[0], 1);
        store_relaxed(&generation[1], 0);
        store_relaxed(&chunk[0], 1);
        store_relaxed(&chunk[1], 9);
        race(move_chunk, get);
    }
}
