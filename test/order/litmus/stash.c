/* A word leaves the stash for a bucket. Key 1 is there all the time: a reader that misses it sees that something moved. */
/* spare: copy_release -- the clearing's release stands behind it */
/* spare: word_acquire -- needed where a word leads to a new record: publish.c */
/* spare: count_acquire -- an old count comes with an old number of moves */
#include "order.h"

enum {
    none,
    copy_release,
    moves_release,
    clear_release,
    count_release,
    moves_acquire,
    word_acquire,
    count_acquire,
    miss_fence
};

static word_t moves, stash_count, bucket, stash;

static void *drain(void *unused) {
    /* site: core/index.c index_drain: store_u64_release(room, value) */
    store_release(copy_release, &bucket, 1);
    /* site: core/index.c index_count_move: store_u64_release(&s->header->index_moves, load_u64_relaxed(&s->header->index_moves) + 1) */
    store_release(moves_release, &moves, 1);
    /* site: core/index.c index_clear_word: store_u64_release(word, 0) */
    store_release(clear_release, &stash, 0);
    /* site: core/index.c index_clear_word: store_u32_release(&s->header->stash_count, count - 1) */
    store_release(count_release, &stash_count, 0);
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
    if (is_found(&bucket)) return unused;
    /* site: core/read.c search: load_u32_acquire(&r->s.header->stash_count) */
    if (load_acquire(count_acquire, &stash_count) != 0 && is_found(&stash)) return unused;
    /* site: core/read.c search: fence_acquire() */
    fence_acquire(miss_fence);
    /* site: core/read.c index_moved: load_u64_relaxed(&r->s.header->index_moves) */
    assert(load_relaxed(&moves) != before);
    return unused;
}

int main(void) {
    for (int round = 0; round < ROUNDS; round++) {
        store_relaxed(&moves, 0);
        store_relaxed(&stash_count, 1);
        store_relaxed(&bucket, 0);
        store_relaxed(&stash, 1);
        race(drain, get);
    }
}
