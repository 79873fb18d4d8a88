/* SPDX-License-Identifier: MIT
 *
 * iterate.c: see iterate.h. The cursor's words: [0] shard, [1] place in the order, 2^32 and on:
 * bucket of the stash.
 */
#include "iterate.h"

#include <string.h>

#include "expire.h"
#include "index.h"

#define STASH_PLACE (1ull << 32)
#define KEY_ROOM (4u + FC_KEY_LEN_MAX)
#define BUCKET_ROOM (BUCKET_WORDS * KEY_ROOM)
#define BUCKET_ATTEMPTS 8

typedef struct output {
    uint8_t *at;
    uint32_t keys;
} output;

static uint32_t reverse(uint32_t bits) {
    bits = (bits >> 1 & 0x55555555u) | (bits & 0x55555555u) << 1;
    bits = (bits >> 2 & 0x33333333u) | (bits & 0x33333333u) << 2;
    bits = (bits >> 4 & 0x0f0f0f0fu) | (bits & 0x0f0f0f0fu) << 4;
    return __builtin_bswap32(bits);
}

/* The first place behind the interval of the bucket that `place` lies in. */
static uint64_t next_place(uint64_t place, uint32_t buckets) {
    uint32_t hash = reverse((uint32_t)place);
    uint32_t number = index_address(hash, buckets);
    uint32_t bits = 31 - (uint32_t)__builtin_clz(buckets); /* 2^bits <= buckets */
    if (index_address(hash, 1u << bits) != number ||
        number + (1u << bits) < buckets)
        bits++; /* this bucket was split already */
    uint64_t width = 1ull << (32 - bits);
    return (place & ~(width - 1)) + width;
}

/* Appends the key behind a word if it is alive and belongs to the bucket. False: look again. */
static bool append_key(const shard *s, uint64_t value, uint64_t sequence, uint32_t number,
                       uint32_t buckets, output *out) {
    record r;
    bool whole = record_load(s, word_offset(value), &r) && r.key;
    uint8_t key[FC_KEY_LEN_MAX];
    if (whole) copy_from_shared(key, r.key, r.header.key_len);
    fence_acquire();
    if (r.extent != EXTENT_NONE && load_u64_relaxed(&s->generations[r.extent]) > sequence)
        return false;
    if (!whole || deadline_passed(s->cache, r.header.deadline_ms)) return true;
    uint64_t hash = fc_hash(key, r.header.key_len, s->cache->hash_seed);
    if (hash_tag(hash) != word_tag(value)) return true;
    if (number != INDEX_STASH && !index_belongs(hash, number, buckets)) return true;
    const uint32_t len = r.header.key_len;
    memcpy(out->at, &len, 4);
    memcpy(out->at + 4, key, len);
    out->at += round_up(4 + len, 4);
    out->keys++;
    return true;
}

/* All keys of a bucket, or none. False if it changed under our eyes. */
static bool append_bucket(const shard *s, const bucket *b, uint32_t number, uint32_t buckets,
                          output *out) {
    output trial = *out;
    uint64_t sequence = load_u64_acquire(&s->header->sequence);
    for (uint32_t i = 0; i < BUCKET_WORDS; i++) {
        uint64_t value = load_u64_acquire(&b->words[i]);
        if (word_tag(value) == 0) continue;
        if (!append_key(s, value, sequence, number, buckets, &trial)) return false;
    }
    /* Split meanwhile: words may have been cleared before we came to them. */
    if (number != INDEX_STASH && index_size(s) != buckets) return false;
    *out = trial;
    return true;
}

static bool append_place(const shard *s, uint64_t *place, output *out) {
    if (*place >= STASH_PLACE) {
        uint64_t number = *place - STASH_PLACE;
        if (number >= STASH_BUCKETS) return false;
        for (int i = 0; i < BUCKET_ATTEMPTS; i++)
            if (append_bucket(s, &s->stash[number], INDEX_STASH, 0, out)) break;
        (*place)++;
        return true;
    }
    uint32_t buckets = 0;
    for (int i = 0; i < BUCKET_ATTEMPTS; i++) {
        buckets = index_size(s);
        uint32_t number = buckets ? index_address(reverse((uint32_t)*place), buckets) : 0;
        const bucket *b = buckets ? index_bucket(s, number) : NULL;
        if (!b || append_bucket(s, b, number, buckets, out)) break;
    }
    *place = buckets ? min_u64(next_place(*place, buckets), STASH_PLACE) : STASH_PLACE;
    return true;
}

int32_t iterate_keys(const cache *c, fc_cursor *cursor, uint8_t *response, uint32_t capacity,
                     uint32_t *used) {
    output out = {.at = response};
    uint64_t index = cursor->word[0], place = cursor->word[1];
    /* Enough steps for any answer, few enough to return soon from an empty cache. */
    for (uint32_t steps = 0; index < c->geometry.shards && steps < 65536; steps++) {
        if (out.at + BUCKET_ROOM > response + capacity) break;
        shard s = shard_at(c, (uint32_t)index);
        if (append_place(&s, &place, &out)) continue;
        index++;
        place = 0;
    }
    const bool end = index >= c->geometry.shards;
    cursor->word[0] = index;
    cursor->word[1] = place;
    *used = (uint32_t)(out.at - response);
    return end && out.keys == 0 ? FC_MISS : (int32_t)out.keys;
}
