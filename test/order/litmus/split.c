/* A bucket is split. Key 1 is there all the time: a reader that misses it sees that something moved. */
/* spare: zero_release -- the size's release stands behind it; needed where a table grows again */
/* spare: copy_release -- as the zero's */
/* spare: word_acquire -- needed where a word leads to a new record: publish.c */
#include "order.h"

enum {
    none,
    zero_release,
    copy_release,
    size_release,
    moves_release,
    clear_release,
    moves_acquire,
    size_acquire,
    word_acquire,
    miss_fence
};

static word_t buckets, moves, words[2];

static void *split(void *unused) {
    /* site: core/index.c index_grow: store_u64_release(&new->words[i], 0) */
    store_release(zero_release, &words[1], 0);
    /* site: core/index.c index_grow: store_u64_release(&new->words[i], value) */
    store_release(copy_release, &words[1], 1);
    /* site: core/index.c index_grow: store_u32_release(&s->header->buckets, to + 1) */
    store_release(size_release, &buckets, 2);
    /* site: core/index.c index_count_move: store_u64_release(&s->header->index_moves, load_u64_relaxed(&s->header->index_moves) + 1) */
    store_release(moves_release, &moves, 1);
    /* site: core/index.c index_grow: store_u64_release(&old->words[i], 0) */
    store_release(clear_release, &words[0], 0);
    return unused;
}

/* A word is compared with the tag by a relaxed load; what matches is loaded again. */
static bool is_found(word_t *word) {
    if (load_relaxed(word) == 0) return false;
    /* site: core/read.c examine: load_u64_acquire(word) */
    return load_acquire(word_acquire, word) != 0;
}

static void *get(void *unused) {
    /* site: core/read.c read_from: load_u64_acquire(&r.s.header->index_moves) */
    unsigned long before = load_acquire(moves_acquire, &moves);
    /* site: core/index.h index_size: load_u32_acquire(&s->header->buckets) */
    unsigned long size = load_acquire(size_acquire, &buckets);
    if (is_found(&words[size - 1])) return unused;
    /* site: core/read.c search: fence_acquire() */
    fence_acquire(miss_fence);
    /* site: core/read.c index_moved: load_u64_relaxed(&r->s.header->index_moves) */
    assert(load_relaxed(&moves) != before);
    return unused;
}

int main(void) {
    for (int round = 0; round < ROUNDS; round++) {
        store_relaxed(&buckets, 1);
        store_relaxed(&moves, 0);
        store_relaxed(&words[0], 1);
        store_relaxed(&words[1], 0);
        race(split, get);
    }
}
