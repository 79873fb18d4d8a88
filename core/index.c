/* SPDX-License-Identifier: MIT
 *
 * index.c: see index.h.
 */
#include "index.h"

#include "lock.h"
#include "log.h"

/* Grow beyond 36/64 = 0.56 words in use. Buckets that this round has not split yet are up to half
 * fuller than the average; two choices of eight still rarely overflow then, and the stash
 * stays almost empty. */
#define LOAD_LRU 36u
#define LOAD_S3FIFO 24u /* leaves room for about as many ghosts as entries */
#define LOAD_DENOMINATOR 64u

#define GHOST_TIME_MASK (WORD_GHOST - 1)

static bool in_stash(const shard *s, const uint64_t *word) {
    const uint64_t *first = s->stash[0].words;
    return word >= first && word < first + STASH_WORDS;
}

/* ------------------------------------------------------------------ finding */

/* Number of buckets to search, into `where`: one or two candidates, then the stash. */
static uint32_t places(const shard *s, uint64_t hash, bucket *where[2 + STASH_BUCKETS]) {
    uint32_t count = 0;
    uint32_t buckets = index_size(s);
    if (!buckets) return 0;
    uint32_t first = index_address(hash_first(hash), buckets);
    uint32_t second = index_address(hash_second(hash), buckets);
    if ((where[count] = index_bucket(s, first))) count++;
    if (second != first && (where[count] = index_bucket(s, second))) count++;
    if (load_u32_relaxed(&s->header->stash_count) != 0)
        for (uint32_t i = 0; i < STASH_BUCKETS; i++) where[count++] = &s->stash[i];
    return count;
}

/* Calls wanted(record, context) for each entry with the key's tag, until it says yes. */
static bool find(const shard *s, uint64_t hash, bool (*wanted)(const record *, const void *),
                 const void *context, found *out) {
    bucket *where[2 + STASH_BUCKETS];
    uint32_t count = places(s, hash, where);
    const uint16_t tag = hash_tag(hash);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t match = bucket_match(where[i], tag); match; match &= match - 1) {
            out->word = &where[i]->words[(uint32_t)__builtin_ctz(match) / 4];
            out->value = load_u64_relaxed(out->word);
            if (word_tag(out->value) != tag) continue;
            if (!record_load(s, word_offset(out->value), &out->record) || !out->record.key)
                continue;
            if (wanted(&out->record, context)) return true;
        }
    }
    return false;
}

typedef struct key_view {
    const void *bytes;
    uint32_t len;
} key_view;

static bool has_key(const record *r, const void *context) {
    const key_view *key = context;
    return record_has_key(r, key->bytes, key->len);
}

bool index_find(const shard *s, uint64_t hash, const void *key, uint32_t key_len, found *out) {
    const key_view view = {key, key_len};
    return find(s, hash, has_key, &view, out);
}

static bool has_part(const record *r, const void *context) {
    uint64_t offset = *(const uint64_t *)context;
    if (r->offset == offset) return true;
    for (uint32_t i = 0; i < r->chunks; i++)
        if (load_u64_relaxed(&r->locations[i]) == offset) return true;
    return false;
}

bool index_find_part(const shard *s, uint64_t hash, uint64_t offset, found *out) {
    return find(s, hash, has_part, &offset, out);
}

/* An empty word, else the oldest ghost, else null. `used` counts entries. */
static uint64_t *first_empty(bucket *b, uint32_t *used) {
    uint64_t *empty = NULL, *ghost = NULL;
    uint64_t oldest = UINT64_MAX;
    *used = 0;
    for (uint32_t i = 0; i < BUCKET_WORDS; i++) {
        uint64_t value = load_u64_relaxed(&b->words[i]);
        if (word_tag(value) == 0) {
            empty = &b->words[i];
        } else if (!word_is_ghost(value)) {
            (*used)++;
        } else if ((value & GHOST_TIME_MASK) < oldest) {
            oldest = value & GHOST_TIME_MASK;
            ghost = &b->words[i];
        }
    }
    return empty ? empty : ghost;
}

uint64_t *index_room(const shard *s, uint64_t hash) {
    bucket_pair pair;
    if (!index_pair(s, hash, index_size(s), &pair)) return NULL;
    uint32_t first_used, second_used, used;
    uint64_t *in_first = first_empty(pair.first, &first_used);
    uint64_t *in_second = first_empty(pair.second, &second_used);
    if (in_first && (!in_second || first_used <= second_used)) return in_first;
    if (in_second) return in_second;
    for (uint32_t i = 0; i < STASH_BUCKETS; i++) {
        uint64_t *in_stash = first_empty(&s->stash[i], &used);
        if (in_stash) return in_stash;
    }
    return NULL;
}

bool index_victim(const shard *s, uint64_t hash, found *out) {
    bucket *where[2 + STASH_BUCKETS];
    uint32_t count = places(s, hash, where);
    for (uint32_t i = 0; i < count * BUCKET_WORDS; i++) {
        out->word = &where[i / BUCKET_WORDS]->words[i % BUCKET_WORDS];
        out->value = load_u64_relaxed(out->word);
        if (word_tag(out->value) != 0 && !word_is_ghost(out->value)) return true;
    }
    return false;
}

/* --------------------------------------------------------------- publishing */

bool index_publish(const shard *s, uint64_t *word, uint64_t value) {
    if (unlikely(!lock_is_ours(s->cache, s->header))) return false;
    /* Readers look into the stash only if its count says so: count first. */
    if (in_stash(s, word) && word_tag(load_u64_relaxed(word)) == 0)
        store_u32_release(&s->header->stash_count, load_u32_relaxed(&s->header->stash_count) + 1);
    store_u64_release(word, value); /* pairs with the acquire of the word in read.c */
    return true;
}

bool index_clear_word(const shard *s, uint64_t *word) {
    if (unlikely(!lock_is_ours(s->cache, s->header))) return false;
    store_u64_release(word, 0);
    if (!in_stash(s, word)) return true;
    uint32_t count = load_u32_relaxed(&s->header->stash_count);
    if (count) store_u32_release(&s->header->stash_count, count - 1);
    return true;
}

/* ------------------------------------------------------------------- ghosts */

bool index_leave_ghost(const shard *s, uint64_t *word) {
    if (in_stash(s, word)) return index_clear_word(s, word);
    if (unlikely(!lock_is_ours(s->cache, s->header))) return false;
    uint64_t now = (load_u64_relaxed(&s->header->ghosts) + 1) & GHOST_TIME_MASK;
    store_u64_relaxed(&s->header->ghosts, now);
    uint64_t tag = load_u64_relaxed(word) >> WORD_TAG_SHIFT;
    store_u64_release(word, tag << WORD_TAG_SHIFT | WORD_GHOST | now);
    return true;
}

bool index_take_ghost(const shard *s, uint64_t hash, uint64_t age_max) {
    bucket *where[2 + STASH_BUCKETS];
    uint32_t count = min_u32(places(s, hash, where), 2); /* the stash holds none */
    const uint64_t now = load_u64_relaxed(&s->header->ghosts);
    for (uint32_t i = 0; i < count * BUCKET_WORDS; i++) {
        uint64_t *word = &where[i / BUCKET_WORDS]->words[i % BUCKET_WORDS];
        uint64_t value = load_u64_relaxed(word);
        if (!word_is_ghost(value) || word_tag(value) != hash_tag(hash)) continue;
        store_u64_relaxed(word, 0);
        if (((now - value) & GHOST_TIME_MASK) <= age_max) return true;
    }
    return false;
}

/* ------------------------------------------------------------------ growing */

bool index_wants_growth(const shard *s) {
    uint32_t load = s->cache->eviction == FC_EVICTION_S3FIFO ? LOAD_S3FIFO : LOAD_LRU;
    uint64_t words = (uint64_t)load_u32_relaxed(&s->header->buckets) * BUCKET_WORDS;
    uint64_t entries = load_u64_relaxed(&s->header->entries) + 1;
    return entries > words / LOAD_DENOMINATOR * load;
}

/* Words of the stash whose first bucket is one of two that a split has made room in go there. */
static void stash_drain(const shard *s, uint32_t from, uint32_t to) {
    for (uint32_t i = 0; i < STASH_WORDS && load_u32_relaxed(&s->header->stash_count); i++) {
        uint64_t *word = stash_word(s, i);
        uint64_t value = load_u64_relaxed(word);
        record r;
        if (word_tag(value) == 0 || !record_load(s, word_offset(value), &r) || !r.key) continue;
        uint64_t hash = record_hash(s, &r);
        uint32_t number = index_address(hash_first(hash), to + 1);
        if (number != from && number != to) continue;
        uint32_t used;
        bucket *b = index_bucket(s, number);
        uint64_t *room = b ? first_empty(b, &used) : NULL;
        if (!room) continue;
        store_u64_release(room, value);
        store_u64_release(&s->header->stash_moves, load_u64_relaxed(&s->header->stash_moves) + 1);
        (void)index_clear_word(s, word);
    }
}

static bool directory_extend(const shard *s, uint32_t section) {
    uint32_t extent = log_take_for_index(s);
    if (extent == EXTENT_NONE) return false;
    store_u32_release(&s->directory[section], extent); /* read through `buckets`, published later */
    return true;
}

/* Does the word in bucket `from` move to bucket `to` when the table grows to to + 1 buckets? */
static bool moves(const shard *s, uint64_t value, uint32_t from, uint32_t to) {
    record r;
    if (!record_load(s, word_offset(value), &r) || !r.key) return false;
    uint64_t hash = record_hash(s, &r);
    bool by_first = index_address(hash_first(hash), to) == from;
    return index_address(by_first ? hash_first(hash) : hash_second(hash), to + 1) == to;
}

bool index_grow(const shard *s) {
    const geometry *g = s->geometry;
    const uint32_t to = index_size(s); /* number of the new bucket */
    if (to == 0 || to >= g->buckets_max) return false;
    const uint32_t section = to >> g->buckets_per_extent_shift;
    const bool begins_section = (to & ((1u << g->buckets_per_extent_shift) - 1)) == 0;
    if (begins_section && !directory_extend(s, section)) return false;
    const uint32_t from = to - (uint32_t)floor_power_of_two(to);
    bucket *old = index_bucket(s, from);
    bucket *new = index_bucket(s, to);
    if (!old || !new) return false;

    for (uint32_t i = 0; i < BUCKET_WORDS; i++) store_u64_relaxed(&new->words[i], 0);
    uint32_t moved = 0; /* bit i: word i of the old bucket */
    for (uint32_t i = 0; i < BUCKET_WORDS; i++) {
        uint64_t value = load_u64_relaxed(&old->words[i]);
        if (word_tag(value) == 0 || !moves(s, value, from, to)) continue;
        store_u64_relaxed(&new->words[i], value);
        moved |= 1u << i;
    }
    store_u32_release(&s->header->buckets, to + 1); /* pairs with index_size */
    for (uint32_t i = 0; i < BUCKET_WORDS; i++)
        if (moved & 1u << i) store_u64_release(&old->words[i], 0);
    if (load_u32_relaxed(&s->header->stash_count)) stash_drain(s, from, to);
    return true;
}

void index_walk(const shard *s, void (*visit)(void *context, uint64_t *word, uint32_t number),
                void *context) {
    uint32_t buckets = index_size(s);
    for (uint32_t number = 0; number < buckets; number++) {
        bucket *b = index_bucket(s, number);
        for (uint32_t i = 0; b && i < BUCKET_WORDS; i++)
            if (word_tag(load_u64_relaxed(&b->words[i])) != 0) visit(context, &b->words[i], number);
    }
    for (uint32_t i = 0; i < STASH_WORDS; i++) {
        uint64_t *word = stash_word(s, i);
        if (word_tag(load_u64_relaxed(word)) != 0) visit(context, word, INDEX_STASH);
    }
}
