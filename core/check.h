/* SPDX-License-Identifier: MIT
 *
 * check.h owns the assertion tiers and small arithmetic.
 *
 *  - FC_ASSERT checks our own arithmetic, in debug and sanitizer builds.
 *  - Bytes read from the segment are input: they are never asserted, always
 *    checked into a miss or FC_CORRUPT by ordinary code.
 *  - FC_LAYOUT_ASSERT checks a layout at compile time.
 */
#ifndef FC_CHECK_H
#define FC_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#if defined(NDEBUG)
#define FC_ASSERT(condition) ((void)0)
#else
#define FC_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())
#endif

#define FC_LAYOUT_ASSERT(condition) _Static_assert(condition, #condition)

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

static inline uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }
static inline uint64_t max_u64(uint64_t a, uint64_t b) { return a > b ? a : b; }
static inline uint32_t min_u32(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* `unit` is a power of two; `value` is far below 2^64 - unit. */
static inline uint64_t round_up(uint64_t value, uint64_t unit) {
    return (value + unit - 1) & ~(unit - 1);
}
static inline bool is_power_of_two(uint64_t value) {
    return value != 0 && (value & (value - 1)) == 0;
}
/* Largest power of two <= value; value > 0. */
static inline uint64_t floor_power_of_two(uint64_t value) {
    return 1ull << (63 - __builtin_clzll(value));
}
/* log2 of a power of two. */
static inline uint32_t log2_exact(uint64_t power) { return (uint32_t)__builtin_ctzll(power); }

#endif
