/* SPDX-License-Identifier: MIT
 *
 * record.h owns how a record is read: its header is loaded once, and every length in it is
 * checked against the extent before anything is derived from it. The forms are drawn in layout.h.
 */
#ifndef FC_RECORD_H
#define FC_RECORD_H

#include "hash.h"
#include "include/fastcache.h"
#include "shard.h"

#define RECORD_HEADER sizeof(record_header)
#define CHUNKS_MAX 512u /* of one head; see log.c */

typedef struct record {
    record_header header;
    uint64_t offset; /* in the shard's extents */
    uint32_t extent;
    uint32_t size; /* bytes it takes in its extent, padding included */
    const uint8_t *at;
    const uint8_t *key;   /* inline, head */
    const uint8_t *value; /* inline: the value; head: its last part; chunk: payload */
    uint64_t *locations;  /* head: offsets of its chunks, atomic */
    uint32_t chunks;      /* head */
    uint32_t value_here;  /* bytes at `value` */
} record;

static inline uint64_t record_inline_size(uint64_t key_len, uint64_t value_len) {
    return round_up(RECORD_HEADER + key_len + value_len, RECORD_ALIGN);
}
static inline uint64_t record_head_size(uint64_t key_len, uint64_t chunks, uint64_t value_here) {
    return RECORD_HEADER + round_up(key_len, RECORD_ALIGN) + 8 + 8 * chunks +
           round_up(value_here, RECORD_ALIGN);
}
static inline uint64_t record_chunk_size(uint64_t payload) {
    return RECORD_HEADER + round_up(payload, RECORD_ALIGN);
}

/* The parts of a head behind its key. False if they do not fit. */
static inline bool record_parse_head(record *r, uint64_t room) {
    uint64_t fixed = record_head_size(r->header.key_len, 0, 0);
    if (r->header.key_len == 0 || fixed > room) return false;
    const uint8_t *counts_at = r->at + fixed - 8;
    uint64_t counts = load_u64_relaxed((const uint64_t *)(const void *)counts_at);
    r->chunks = (uint32_t)counts;
    r->value_here = (uint32_t)(counts >> 32);
    if (r->chunks == 0 || r->chunks > CHUNKS_MAX || r->value_here > r->header.value_len)
        return false;
    uint64_t size = record_head_size(r->header.key_len, r->chunks, r->value_here);
    if (size > room) return false;
    r->key = r->at + RECORD_HEADER;
    r->locations = (uint64_t *)(void *)(r->at + fixed);
    r->value = r->at + fixed + 8 * (uint64_t)r->chunks;
    r->size = (uint32_t)size;
    return true;
}

/* Reads the record at `offset`. False if there cannot be one; then, and also when a concurrent
 * writer may have reused the extent, *r is only good for r->extent (if offset was inside). */
__attribute__((always_inline)) static inline bool record_load(const shard *s, uint64_t offset,
                                                              record *r) {
    const geometry *g = s->geometry;
    r->offset = offset;
    r->extent = EXTENT_NONE;
    if (unlikely(offset >= g->shard_data_bytes || offset % RECORD_ALIGN)) return false;
    r->extent = (uint32_t)(offset >> g->extent_shift);
    uint64_t room = g->extent_bytes - (offset & (g->extent_bytes - 1));
    if (unlikely(room < RECORD_HEADER)) return false;
    r->at = s->extents + offset;
    const uint64_t *raw = (const uint64_t *)(const void *)r->at;
    uint64_t lengths = load_u64_relaxed(raw + 2);
    r->header.deadline_ms = load_u64_relaxed(raw);
    r->header.version = load_u64_relaxed(raw + 1);
    r->header.value_len = (uint32_t)lengths;
    r->header.key_len = (uint16_t)(lengths >> 32);
    r->header.type = (uint8_t)(lengths >> 48);
    r->header.form = (uint8_t)(lengths >> 56);
    if (unlikely(r->header.key_len > FC_KEY_LEN_MAX || r->header.value_len > g->value_len_max))
        return false;
    if (likely(r->header.form == RECORD_INLINE)) {
        uint64_t size = record_inline_size(r->header.key_len, r->header.value_len);
        if (unlikely(size > room || r->header.key_len == 0)) return false;
        r->size = (uint32_t)size;
        r->key = r->at + RECORD_HEADER;
        r->value = r->key + r->header.key_len;
        r->value_here = r->header.value_len;
        r->chunks = 0;
        return true;
    }
    if (r->header.form == RECORD_HEAD) return record_parse_head(r, room);
    if (r->header.form != RECORD_CHUNK || r->header.key_len != 0) return false;
    uint64_t size = record_chunk_size(r->header.value_len);
    if (size > room) return false;
    r->size = (uint32_t)size;
    r->key = NULL;
    r->value = r->at + RECORD_HEADER;
    r->value_here = r->header.value_len;
    r->chunks = 0;
    return true;
}

/* Hash of the key of a record that has one. */
static inline uint64_t record_hash(const shard *s, const record *r) {
    return fc_hash(r->key, r->header.key_len, s->cache->hash_seed);
}

static inline bool record_has_key(const record *r, const void *key, uint32_t key_len) {
    return r->header.key_len == key_len && equals_shared(r->key, key, key_len);
}

#endif
