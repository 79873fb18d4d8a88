/* SPDX-License-Identifier: MIT
 *
 * atomic.h owns every access to memory that other processes may change at the
 * same time. The order is in the name; each release in the core names in a
 * comment the acquire that it pairs with. All operands are naturally aligned,
 * so no access ever straddles a cache line.
 */
#ifndef FC_ATOMIC_H
#define FC_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Somebody looks at each access: the thread sanitizer, or the simulator (test/sim/). */
#if defined(__SANITIZE_THREAD__) || defined(FC_SIM)
#define FC_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FC_WATCHED 1
#endif
#endif

static inline uint64_t load_u64_relaxed(const uint64_t *p) {
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}
static inline uint64_t load_u64_acquire(const uint64_t *p) {
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
static inline void store_u64_relaxed(uint64_t *p, uint64_t v) {
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}
static inline void store_u64_release(uint64_t *p, uint64_t v) {
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}
static inline uint32_t load_u32_relaxed(const uint32_t *p) {
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}
static inline uint32_t load_u32_acquire(const uint32_t *p) {
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
static inline void store_u32_relaxed(uint32_t *p, uint32_t v) {
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}
static inline void store_u32_release(uint32_t *p, uint32_t v) {
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}
static inline uint16_t load_u16_relaxed(const uint16_t *p) {
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}
static inline void store_u16_relaxed(uint16_t *p, uint16_t v) {
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}
static inline void store_u8_relaxed(uint8_t *p, uint8_t v) {
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}
/* Returns what was there before. */
static inline uint64_t add_u64_relaxed(uint64_t *p, uint64_t v) {
    return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}

static inline uint64_t add_u64_release(uint64_t *p, uint64_t v) {
    return __atomic_fetch_add(p, v, __ATOMIC_RELEASE);
}

/* On success acquires what the last release of *p published; else *expected is the value seen. */
static inline bool cas_u64_acquire(uint64_t *p, uint64_t *expected, uint64_t desired) {
    return __atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}
static inline bool cas_u64_release(uint64_t *p, uint64_t *expected, uint64_t desired) {
    return __atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_RELEASE,
                                       __ATOMIC_RELAXED);
}
static inline bool cas_u64_relaxed(uint64_t *p, uint64_t *expected, uint64_t desired) {
    return __atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED);
}

static inline void fence_acquire(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }
static inline void fence_release(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }

static inline void cpu_relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static inline void prefetch(const void *p) { __builtin_prefetch(p); }

/* Bytes of a record, which a writer may be replacing while we read them. The copy
 * is trusted only after the generation check that follows it, so a plain memcpy
 * does; the thread sanitizer gets relaxed atomics, which say the same to it. */
#if defined(FC_WATCHED)
static inline void copy_from_shared(void *to, const void *from, size_t len) {
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)to)[i] = __atomic_load_n((const uint8_t *)from + i, __ATOMIC_RELAXED);
}
static inline void copy_to_shared(void *to, const void *from, size_t len) {
    for (size_t i = 0; i < len; i++)
        __atomic_store_n((uint8_t *)to + i, ((const uint8_t *)from)[i], __ATOMIC_RELAXED);
}
static inline bool equals_shared(const void *shared, const void *own, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (__atomic_load_n((const uint8_t *)shared + i, __ATOMIC_RELAXED) !=
            ((const uint8_t *)own)[i])
            return false;
    return true;
}
#else
static inline void copy_from_shared(void *to, const void *from, size_t len) {
    if (len) memcpy(to, from, len);
}
/* In a damaged segment a record may be moved onto itself. */
static inline void copy_to_shared(void *to, const void *from, size_t len) {
    if (len) memmove(to, from, len);
}
/* Words of 8 bytes, the last one overlapping: keys are short, and a call costs more than that. */
static inline bool equals_shared(const void *shared, const void *own, size_t len) {
    const uint8_t *a = shared, *b = own;
    if (len < 8) return memcmp(a, b, len) == 0;
    uint64_t x, y;
    for (size_t i = 0; i + 8 < len; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y) return false;
    }
    memcpy(&x, a + len - 8, 8);
    memcpy(&y, b + len - 8, 8);
    return x == y;
}
#endif

/* The simulator's build says which header puts a step of its scheduler in front of each access. */
#if defined(FC_SIM)
#include FC_SIM
#endif

#endif
