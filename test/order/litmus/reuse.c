/* Extent reuse: a reader holds on to a record while its extent is opened anew. What it takes for a hit is whole. */
/* spare: sequence_release -- the raise fence stands before it */
/* spare: clear_release -- no bytes go with an empty word */
/* spare: word_acquire -- the sequence's acquire covers all that the reader may trust */
#include "order.h"

enum {
    none,
    clear_release,
    raise_fence,
    sequence_release,
    sequence_acquire,
    word_acquire,
    check_fence
};

static word_t sequence, generation, key, value, word;

static void *reuse(void *unused) {
    /* site: core/index.c index_clear_word: store_u64_release(word, 0) */
    store_release(clear_release, &word, 0);
    /* site: core/log.c generation_raise: store_u64_relaxed(&s->lives[extent].generation, sequence) */
    store_relaxed(&generation, 2);
    /* site: core/log.c generation_raise: fence_release() */
    fence_release(raise_fence);
    /* site: core/log.c generation_raise: store_u64_release(&s->header->sequence, sequence) */
    store_release(sequence_release, &sequence, 2);
    store_relaxed(&value, 2);
    store_relaxed(&key, 2);
    return unused;
}

static void *get(void *unused) {
    /* site: core/read.c read_from: load_u64_acquire(&r.s.header->sequence) */
    unsigned long seen = load_acquire(sequence_acquire, &sequence);
    /* site: core/read.c examine: load_u64_acquire(word) */
    if (load_acquire(word_acquire, &word) == 0) return unused;
    bool is_ours = load_relaxed(&key) == 1;
    unsigned long copied = load_relaxed(&value);
    /* site: core/read.c unchanged: fence_acquire() */
    fence_acquire(check_fence);
    /* site: core/read.c unchanged: load_u64_relaxed(&r->s.lives[extent].generation) */
    if (load_relaxed(&generation) <= seen && is_ours) assert(copied == 1);
    return unused;
}

int main(void) {
    for (int round = 0; round < ROUNDS; round++) {
        store_relaxed(&sequence, 1);
        store_relaxed(&generation, 1);
        store_relaxed(&key, 1);
        store_relaxed(&value, 1);
        store_relaxed(&word, 1);
        race(reuse, get);
    }
}
