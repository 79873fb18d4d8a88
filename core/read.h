/* SPDX-License-Identifier: MIT
 *
 * read.h owns reading one entry without a lock.
 *
 * The protocol (contract R1, R2): load the shard's sequence; find the index word; load the
 * record's header once and check every length; compare the whole key; copy the value; then
 * (acquire fence) the generation of every extent touched must not exceed the sequence, else
 * the extent was reused meanwhile and the attempt counts for nothing. After READ_ATTEMPTS the
 * answer is a miss: only a writer that laps the whole log during each of them can cause that.
 */
#ifndef FC_READ_H
#define FC_READ_H

#include "cache.h"

typedef struct read_result {
    uint64_t version;
    uint64_t deadline_ms; /* 0 for none */
    uint32_t value_len;
    uint8_t type;
} read_result;

/* Flag beside FC_PEEK: do not copy the value. */
#define READ_NO_VALUE 2u

/* The value's length, FC_MISS, or FC_BUFFER_TOO_SMALL; *result is set but for FC_MISS. */
int32_t read_entry(const cache *c, uint64_t hash, const void *key, uint32_t key_len, void *value,
                   uint32_t capacity, uint32_t flags, read_result *result);

#endif
