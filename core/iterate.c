/* SPDX-License-Identifier: MIT
 *
 * iterate.c: see iterate.h. The cursor's words: [0] shard, [1] place in the order.
 */
#include "iterate.h"

#include <string.h>

#include "index.h"
#include "tag.h"

#define PLACES (1ull << 32)
#define KEY_ROOM (sizeof(fc_packed_key) + FC_KEY_LEN_MAX)
#define INTERVAL_ROOM ((BUCKET_WORDS + STASH_WORDS) * KEY_ROOM)
#define ATTEMPTS 64

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
    if (index_address(hash, 1u << bits) != number || number + (1u << bits) < buckets)
        bits++; /* this bucket was split already */
    uint64_t width = 1ull << (32 - bits);
    return (place & ~(width - 1)) + width;
}

/* What one bucket's interval gave; keys go out only if nothing moved meanwhile. */
typedef struct page {
    const shard *s;
    uint64_t sequence;
    uint32_t buckets;
    uint32_t number;     /* of the bucket */
    uint64_t begin, end; /* places */
    uint64_t from_stash[STASH_WORDS];
    uint32_t from_stash_count;
    bool last; /* attempt: go on without what cannot be read */
    output out;
} page;

/* The key behind a word, if alive, and its hash. False: the extent was reused, look again. */
static bool load_key(const page *p, uint64_t value, uint8_t *key, uint32_t *len, uint64_t *hash) {
    const shard *s = p->s;
    record r;
    bool whole = record_load(s, word_offset(value), &r) && r.key;
    if (whole) copy_from_shared(key, r.key, r.key_len);
    const bool over = whole && record_over(s->cache, &r);
    fence_acquire(); /* pairs with the release fence in log.c */
    *len = 0;
    if (r.extent != EXTENT_NONE && load_u64_relaxed(&s->lives[r.extent].generation) > p->sequence)
        return p->last;
    if (!whole || over) return true;
    *hash = fc_hash(key, r.key_len, s->cache->hash_seed);
    if (hash_tag(*hash) == word_tag(value)) *len = r.key_len;
    return true;
}

static void append_key(page *p, const uint8_t *key, uint32_t len) {
    const fc_packed_key header = {len};
    memcpy(p->out.at, &header, sizeof header);
    memcpy(p->out.at + sizeof header, key, len);
    p->out.at += round_up(sizeof header + len, FC_PACKED_KEY_UNIT);
    p->out.keys++;
}

/* Keys of the stash whose place is in the interval. */
static bool append_stash(page *p) {
    for (uint32_t i = 0; i < STASH_WORDS; i++) {
        uint64_t value = load_u64_acquire(stash_word(p->s, i));
        uint8_t key[FC_KEY_LEN_MAX];
        uint32_t len;
        uint64_t hash;
        if (word_tag(value) == 0) continue;
        if (!load_key(p, value, key, &len, &hash)) return false;
        if (!len) continue;
        const uint32_t place = reverse(index_hash_of(hash, value));
        if (place < p->begin || place >= p->end) continue;
        p->from_stash[p->from_stash_count++] = word_offset(value);
        append_key(p, key, len);
    }
    return true;
}

static bool was_in_stash(const page *p, uint64_t offset) {
    for (uint32_t i = 0; i < p->from_stash_count; i++)
        if (p->from_stash[i] == offset) return true;
    return false;
}

static bool append_bucket(page *p, const bucket *b) {
    for (uint32_t i = 0; i < BUCKET_WORDS; i++) {
        uint64_t value = load_u64_acquire(&b->words[i]);
        uint8_t key[FC_KEY_LEN_MAX];
        uint32_t len;
        uint64_t hash;
        if (word_tag(value) == 0 || was_in_stash(p, word_offset(value))) continue;
        if (!load_key(p, value, key, &len, &hash)) return false;
        if (!len || !index_belongs(hash, value, p->number, p->buckets)) continue;
        /* The bucket of a table that has shrunk meanwhile may begin before the cursor. */
        if (reverse(index_hash_of(hash, value)) >= p->begin) append_key(p, key, len);
    }
    return true;
}

/* All keys of the interval that begins at *place, and on to the next. False: something moved;
 * never at the last attempt, so that damage cannot hold an iteration up. */
static bool append_interval(const shard *s, uint64_t *place, bool last, output *out) {
    page p = {.s = s, .out = *out, .begin = *place, .last = last};
    p.sequence = load_u64_acquire(&s->header->sequence);
    const uint64_t moves = load_u64_acquire(&s->header->index_moves);
    p.buckets = index_size(s);
    if (!p.buckets) {
        *place = PLACES;
        return true;
    }
    p.end = next_place(*place, p.buckets);
    p.number = index_address(reverse((uint32_t)*place), p.buckets);
    const bucket *b = index_bucket(s, p.number);
    /* The stash first: a key that leaves it meanwhile shows up in the bucket as well. */
    if (load_u32_acquire(&s->header->stash_count) && !append_stash(&p)) return false;
    if (!append_bucket(&p, b)) return false;
    fence_acquire();
    if (load_u64_relaxed(&s->header->index_moves) != moves && !last) return false;
    *place = p.end;
    *out = p.out;
    return true;
}

int32_t iterate_keys(const cache *c, fc_cursor *cursor, uint8_t *response, uint32_t capacity,
                     uint32_t *used) {
    if (capacity < FC_ITERATE_CAPACITY_MIN) return FC_BUFFER_TOO_SMALL;
    output out = {.at = response};
    uint64_t index = cursor->word[0], place = cursor->word[1];
    /* Enough steps for any answer, few enough to return soon from an empty cache. */
    for (uint32_t steps = 0; index < c->geometry.shards && steps < 65536; steps++) {
        if (out.at + INTERVAL_ROOM > response + capacity) break;
        shard s = shard_at(c, (uint32_t)index);
        for (int i = 1; !append_interval(&s, &place, i >= ATTEMPTS, &out); i++) continue;
        if (place < PLACES) continue;
        index++;
        place = 0;
    }
    if (cache_lost(c)) {
        index = c->geometry.shards;
        out = (output){.at = response};
    }
    const bool end = index >= c->geometry.shards;
    cursor->word[0] = index;
    cursor->word[1] = place;
    *used = (uint32_t)(out.at - response);
    return end && out.keys == 0 ? FC_MISS : (int32_t)out.keys;
}
