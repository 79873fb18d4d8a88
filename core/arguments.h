/* SPDX-License-Identifier: MIT
 *
 * arguments.h owns the checks of keys, values and times that callers pass in.
 */
#ifndef FC_ARGUMENTS_H
#define FC_ARGUMENTS_H

#include <math.h>

#include "cache.h"

static inline int32_t key_check(uint32_t key_len) {
    if (unlikely(key_len == 0)) return FC_INVALID_ARGUMENT;
    return likely(key_len <= FC_KEY_LEN_MAX) ? FC_OK : FC_KEY_TOO_LONG;
}

/* False for NaN, and for what is too far away but not infinite. */
static inline bool ttl_valid(double ttl_ms) {
    return likely(ttl_ms <= FC_TTL_MS_MAX) || ttl_ms == (double)INFINITY;
}

static inline int32_t value_check(const cache *c, uint32_t value_len, uint32_t type,
                                  double ttl_ms) {
    if (unlikely(value_len > c->geometry.value_len_max)) return FC_VALUE_TOO_LARGE;
    return likely(type <= FC_TYPE_MAX && ttl_valid(ttl_ms)) ? FC_OK : FC_INVALID_ARGUMENT;
}

#endif
