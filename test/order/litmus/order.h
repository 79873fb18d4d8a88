/*
 * What the programs of this directory share: the operations of core/atomic.h by the same names, each with a label.
 * -DWITHOUT=LABEL makes the operation of that label relaxed, or leaves the fence out.
 *
 * A program lists its labels in an enum whose first is `none`. GenMC runs one round in every way that the memory model
 * allows; a processor runs ROUNDS of them in its own way.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#ifndef WITHOUT
#define WITHOUT none
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif

typedef _Atomic(unsigned long) word_t;

#define load_relaxed(place) atomic_load_explicit(place, memory_order_relaxed)
#define store_relaxed(place, value) atomic_store_explicit(place, value, memory_order_relaxed)
#define load_acquire(label, place) \
    (WITHOUT == label ? load_relaxed(place) : atomic_load_explicit(place, memory_order_acquire))
#define store_release(label, place, value)                             \
    do {                                                               \
        if (WITHOUT == label) {                                        \
            store_relaxed(place, value);                               \
        } else {                                                       \
            atomic_store_explicit(place, value, memory_order_release); \
        }                                                              \
    } while (0)
#define fence_acquire(label)                                             \
    do {                                                                 \
        if (WITHOUT != label) atomic_thread_fence(memory_order_acquire); \
    } while (0)
#define fence_release(label)                                             \
    do {                                                                 \
        if (WITHOUT != label) atomic_thread_fence(memory_order_release); \
    } while (0)
#define exchange(place, old, new, order)                                              \
    atomic_compare_exchange_strong_explicit(place, &(unsigned long){old}, new, order, \
                                            memory_order_relaxed)
#define cas_acquire(label, place, old, new)                             \
    (WITHOUT == label ? exchange(place, old, new, memory_order_relaxed) \
                      : exchange(place, old, new, memory_order_acquire))
#define cas_release(label, place, old, new)                             \
    (WITHOUT == label ? exchange(place, old, new, memory_order_relaxed) \
                      : exchange(place, old, new, memory_order_release))

/* Both at the same time. */
static inline void race(void *(*first)(void *), void *(*second)(void *)) {
    pthread_t threads[2];
    if (pthread_create(&threads[0], NULL, first, NULL) != 0) assert(0);
    if (pthread_create(&threads[1], NULL, second, NULL) != 0) assert(0);
    if (pthread_join(threads[0], NULL) != 0) assert(0);
    if (pthread_join(threads[1], NULL) != 0) assert(0);
}
