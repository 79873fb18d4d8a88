/* SPDX-License-Identifier: MIT
 *
 * write.h owns the operations that change one entry, each under its shard's lock. Arguments
 * were checked by the caller; deadlines are cache times, 0 for none.
 */
#ifndef FC_WRITE_H
#define FC_WRITE_H

#include "cache.h"

typedef struct write_value {
    const void *bytes;
    uint32_t len;
    uint8_t type;
    uint64_t deadline_ms;
} write_value;

/* FC_OK, FC_MISS (the condition is not met), FC_BUSY, FC_CORRUPT. `version` counts for
 * FC_SET_IF_VERSION only. */
int32_t write_set(const cache *c, uint64_t hash, const void *key, uint32_t key_len,
                  const write_value *value, fc_set_mode mode, uint64_t version);

/* FC_OK, FC_MISS, FC_BUSY, FC_CORRUPT. */
int32_t write_delete(const cache *c, uint64_t hash, const void *key, uint32_t key_len);
int32_t write_touch(const cache *c, uint64_t hash, const void *key, uint32_t key_len,
                    uint64_t deadline_ms);

/* Also FC_INVALID_ARGUMENT: the entry is no number. */
int32_t write_increment(const cache *c, uint64_t hash, const void *key, uint32_t key_len, double by,
                        double initial, uint64_t deadline_ms, double *result);

/* FC_OK, or FC_BUSY or FC_CORRUPT of the first shard that could not be emptied. */
int32_t write_clear(const cache *c);

#endif
