/* SPDX-License-Identifier: MIT
 *
 * read.h owns reading one entry without a lock.
 *
 * The protocol (contract R1, R2): load the shard's sequence; find the index word; load the
 * record's header once and check every length; compare the whole key; copy the value; then
 * (acquire fence) the generation of every extent touched must not exceed the sequence, else
 * the extent was reused meanwhile and the attempt counts for nothing. So it is if the index grew,
 * or a key left the stash, behind a search that found nothing. After READ_ATTEMPTS the answer is a
 * miss: only writers that do such a thing at the right moment of each of them can cause that.
 */
#ifndef FC_READ_H
#define FC_READ_H

#include "index.h"

typedef struct read_result {
    uint64_t version;
    uint64_t deadline_ms; /* 0 for none */
    uint32_t value_len;
    uint8_t type;
} read_result;

/* As fc_get, with the flags of fc_get_many: the value's length, or a status. *result is set but for
 * FC_MISS and a bad key. */
int32_t read_get(const cache *c, const void *key, uint32_t key_len, void *value, uint32_t capacity,
                 uint32_t flags, read_result *result);
/* As fc_has and fc_ttl. */
int32_t read_has(const cache *c, const void *key, uint32_t key_len);
int32_t read_ttl(const cache *c, const void *key, uint32_t key_len, double *ttl_ms);

/* read_get in four stages, for many keys at once: each of the first three begins to fetch what the
 * next one looks at, so that the cache misses of several lookups overlap. The caller sets the key.
 * What else a lookup holds is a hint that read_finish checks like any reader, by the sequence of
 * before the first stage: a later one would pass a word whose extent was reused in between. */
typedef struct lookup {
    const void *key;
    uint32_t key_len;
    uint64_t hash;
    shard s;
    uint64_t sequence; /* of the shard, before anything else was read */
    bucket_pair pair;
    uint64_t *word;        /* in the pair, with the key's tag, or null */
    const uint8_t *record; /* where it leads */
} lookup;

void read_begin(const cache *c, lookup *l);
void read_approach(lookup *l);
void read_approach_value(const lookup *l);
int32_t read_finish(const lookup *l, void *value, uint32_t capacity, uint32_t flags,
                    read_result *result);

#endif
