/* SPDX-License-Identifier: MIT
 *
 * write.h owns the operations that change one entry, each under its shard's lock, and clearing.
 * They check their arguments.
 */
#ifndef FC_WRITE_H
#define FC_WRITE_H

#include "cache.h"
#include "tag.h"

typedef struct write_value {
    const void *bytes;
    uint32_t len;
    uint32_t type;
    double ttl_ms;       /* as in fc_set */
    const tag_set *tags; /* null for none */
} write_value;

/* As fc_set; `mode` likewise. */
int32_t write_set(const cache *c, const void *key, uint32_t key_len, const write_value *value,
                  uint32_t mode, double version);
/* As fc_delete, fc_touch, fc_increment. */
int32_t write_delete(const cache *c, const void *key, uint32_t key_len);
int32_t write_touch(const cache *c, const void *key, uint32_t key_len, double ttl_ms);
int32_t write_increment(const cache *c, const void *key, uint32_t key_len, double by,
                        double initial, double ttl_ms, double *result);

/* Set and delete for batches, which have checked the key and know its hash; the mode is FC_SET,
 * with or without FC_KEEP_TTL. */
int32_t write_set_hashed(const cache *c, uint64_t hash, const void *key, uint32_t key_len,
                         const write_value *value, uint32_t mode);
int32_t write_delete_hashed(const cache *c, uint64_t hash, const void *key, uint32_t key_len);

/* FC_OK, or FC_BUSY or FC_CORRUPT of the first shard that could not be emptied. */
int32_t write_clear(const cache *c);

#endif
