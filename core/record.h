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
#define CHUNKS_MAX 4160u /* of one head; no geometry has a value of more */

typedef struct record {
    uint64_t identity;
    uint64_t shape;
    uint64_t deadline_ms; /* 0 for none */
    uint64_t offset;      /* in the shard's extents */
    uint32_t extent;
    uint32_t size; /* bytes it takes in its extent, padding included */
    uint32_t value_len;
    uint16_t key_len; /* chunk: 0 */
    uint8_t type;     /* fc_type */
    uint8_t kind;     /* enum record_kind */
    const uint8_t *at;
    const uint8_t *key;   /* inline, head; else null */
    const uint8_t *value; /* inline: the value; head: its last part; chunk: payload */
    uint64_t *locations;  /* head: offsets of its chunks */
    uint32_t chunks;      /* head; else 0 */
    uint32_t value_here;  /* bytes at `value` */
} record;

static inline uint64_t record_version(const record *r) { return r->identity >> IDENTITY_KEY_BITS; }
static inline uint32_t shape_words(uint64_t shape) {
    return (uint32_t)(shape >> SHAPE_WORDS_SHIFT & SHAPE_FIVE_BITS);
}
static inline uint32_t shape_tags(uint64_t shape) {
    return (uint32_t)(shape >> SHAPE_TAGS_SHIFT & SHAPE_FIVE_BITS);
}
static inline bool record_is_dead(const record *r) { return r->shape & SHAPE_DEAD; }

/* Bytes in front of the key. */
static inline uint64_t record_prefix(uint64_t words) { return RECORD_HEADER + 8 * words; }
static inline uint64_t record_inline_size(uint64_t words, uint64_t key_len, uint64_t value_len) {
    return round_up(record_prefix(words) + key_len + value_len, RECORD_ALIGN);
}
static inline uint64_t record_head_size(uint64_t words, uint64_t key_len, uint64_t chunks,
                                        uint64_t value_here) {
    return record_prefix(words) + round_up(key_len, RECORD_ALIGN) + 8 + 8 * chunks +
           round_up(value_here, RECORD_ALIGN);
}
static inline uint64_t record_chunk_size(uint64_t payload) {
    return RECORD_HEADER + round_up(payload, RECORD_ALIGN);
}

/* The parts of a head behind its key. False if they do not fit. */
static inline bool record_parse_head(record *r, uint32_t words, uint64_t room) {
    const uint64_t fixed = record_head_size(words, r->key_len, 0, 0);
    if (r->key_len == 0 || fixed > room) return false;
    const uint8_t *counts_at = r->at + fixed - 8;
    const uint64_t counts = load_u64_relaxed((const uint64_t *)(const void *)counts_at);
    r->chunks = (uint32_t)counts;
    r->value_here = (uint32_t)(counts >> 32);
    if (r->chunks == 0 || r->chunks > CHUNKS_MAX || r->value_here > r->value_len) return false;
    const uint64_t size = record_head_size(words, r->key_len, r->chunks, r->value_here);
    if (size > room) return false;
    r->key = r->at + record_prefix(words);
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
    const uint64_t room = g->extent_bytes - (offset & (g->extent_bytes - 1));
    if (unlikely(room < RECORD_HEADER + 8)) return false;
    r->at = s->extents + offset;
    const uint64_t *raw = (const uint64_t *)(const void *)r->at;
    const uint64_t shape = load_u64_relaxed(raw + 1);
    r->identity = load_u64_relaxed(raw);
    r->shape = shape;
    r->deadline_ms = shape & SHAPE_DEADLINE ? load_u64_relaxed(raw + 2) : 0;
    r->value_len = (uint32_t)shape;
    r->key_len = (uint16_t)(r->identity & IDENTITY_KEY_MASK);
    r->type = (uint8_t)(shape >> SHAPE_TYPE_SHIFT);
    r->kind = shape >> SHAPE_KIND_SHIFT & 3;
    const uint32_t words = shape_words(shape);
    if (unlikely(r->value_len > g->value_len_max || words > RECORD_WORDS_MAX)) return false;
    if (likely(r->kind == RECORD_INLINE)) {
        const uint64_t size = record_inline_size(words, r->key_len, r->value_len);
        if (unlikely(size > room || r->key_len == 0 || r->key_len > FC_KEY_LEN_MAX)) return false;
        r->size = (uint32_t)size;
        r->key = r->at + record_prefix(words);
        r->value = r->key + r->key_len;
        r->value_here = r->value_len;
        r->chunks = 0;
        return true;
    }
    if (r->kind == RECORD_HEAD)
        return r->key_len <= FC_KEY_LEN_MAX && record_parse_head(r, words, room);
    if (r->kind != RECORD_CHUNK || words != 0 || shape & SHAPE_DEADLINE) return false;
    const uint64_t size = record_chunk_size(r->value_len);
    if (size > room) return false;
    r->size = (uint32_t)size;
    r->key_len = 0;
    r->key = NULL;
    r->value = r->at + RECORD_HEADER;
    r->value_here = r->value_len;
    r->chunks = 0;
    return true;
}

/* Hash of the key of a record that has one. */
static inline uint64_t record_hash(const shard *s, const record *r) {
    return fc_hash(r->key, r->key_len, s->cache->hash_seed);
}
/* Hash of the key of the entry that a record is a part of. */
static inline uint64_t record_owner_hash(const shard *s, const record *r) {
    return r->key ? record_hash(s, r) : r->identity;
}

static inline bool record_has_key(const record *r, const void *key, uint32_t key_len) {
    return r->key_len == key_len && equals_shared(r->key, key, key_len);
}

#endif
