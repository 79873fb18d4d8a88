/* Publish and read: a reader that finds the word finds the whole record, though older bytes look like one. */
#include "order.h"

enum { none, word_release, word_acquire };

static word_t header, value, word;

static void *set(void *unused) {
    store_relaxed(&value, 2);
    store_relaxed(&header, 2);
    /* site: core/index.c index_publish: store_u64_release(word, value) */
    store_release(word_release, &word, 1);
    return unused;
}

static void *get(void *unused) {
    /* site: core/read.c examine: load_u64_acquire(word) */
    if (load_acquire(word_acquire, &word) != 0) {
        assert(load_relaxed(&header) == 2);
        assert(load_relaxed(&value) == 2);
    }
    return unused;
}

int main(void) {
    for (int round = 0; round < ROUNDS; round++) {
        store_relaxed(&header, 1);
        store_relaxed(&value, 1);
        store_relaxed(&word, 0);
        race(set, get);
    }
}
