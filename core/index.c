/* SPDX-License-Identifier: MIT
 *
 * index.c: see index.h.
 */
#include "index.h"

#include "lock.h"
#include "log.h"

#define LOAD_DENOMINATOR 64u

#define SHRINK_BELOW 4u /* a quarter of the words in use */

#define GHOST_TIME_MASK (WORD_SECOND - 1)

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
    where[count++] = index_bucket(s, first);
    if (second != first) where[count++] = index_bucket(s, second);
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

bool index_publish_new(const shard *s, uint64_t hash, uint64_t *word, uint64_t value) {
    bucket_pair pair;
    if (!index_pair(s, hash, index_size(s), &pair)) return false;
    const bool by_first =
        in_stash(s, word) || (word >= pair.first->words && word < pair.first[1].words);
    return index_publish(s, word, by_first ? value : value | WORD_SECOND);
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

/* ------------------------------------------------------- growing, shrinking */

bool index_wants_growth(const shard *s) {
    uint64_t words = (uint64_t)load_u32_relaxed(&s->header->buckets) * BUCKET_WORDS;
    uint64_t entries = load_u64_relaxed(&s->header->entries) + 1;
    return entries > words / LOAD_DENOMINATOR * s->cache->policy->index_load;
}

void index_count_move(const shard *s) {
    store_u64_release(&s->header->index_moves, load_u64_relaxed(&s->header->index_moves) + 1);
}

void index_drain(const shard *s) {
    /* The version changes with each set: so another word is tried each time. */
    uint32_t i = (uint32_t)load_u64_relaxed(&s->header->version);
    for (uint32_t tried = 0; tried < STASH_WORDS; tried++, i++) {
        uint64_t *word = stash_word(s, i % STASH_WORDS);
        const uint64_t value = load_u64_relaxed(word);
        record r;
        if (word_tag(value) == 0) continue;
        if (!record_load(s, word_offset(value), &r) || !r.key) return;
        const uint32_t buckets = index_size(s);
        if (!buckets) return;
        uint32_t used;
        const uint32_t hash = index_hash_of(record_hash(s, &r), value);
        bucket *b = index_bucket(s, index_address(hash, buckets));
        uint64_t *room = first_empty(b, &used);
        if (!room || !lock_is_ours(s->cache, s->header)) return;
        store_u64_release(room, value);
        index_count_move(s);
        (void)index_clear_word(s, word);
        return;
    }
}

/* Does the word in bucket `from` move to bucket `to` when the table grows to to + 1 buckets? */
static bool moves(const shard *s, uint64_t value, uint32_t to) {
    record r;
    if (!record_load(s, word_offset(value), &r) || !r.key) return false;
    return index_address(index_hash_of(record_hash(s, &r), value), to + 1) == to;
}

uint32_t index_next_extent(const shard *s) {
    const geometry *g = s->geometry;
    const uint32_t to = index_size(s);
    if (to == 0 || to >= g->buckets_max) return EXTENT_NONE;
    const bool begins = (to & ((1u << g->buckets_per_extent_shift) - 1)) == 0;
    return begins ? g->extents - index_extents_of(s, to + 1) : EXTENT_NONE;
}

bool index_grow(const shard *s) {
    const uint32_t to = index_size(s); /* number of the new bucket */
    if (to == 0 || to >= s->geometry->buckets_max) return false;
    const uint32_t extent = index_next_extent(s);
    if (extent != EXTENT_NONE && !log_take_for_index(s, extent)) return false;
    bucket *old = index_bucket(s, to - (uint32_t)floor_power_of_two(to));
    bucket *new = index_bucket(s, to);
    /* Releases, for a reader that still has this size from before the table shrank: an empty word
     * goes with index_moves, a copied one with the record that was stored since. */
    for (uint32_t i = 0; i < BUCKET_WORDS; i++) store_u64_release(&new->words[i], 0);
    uint32_t moved = 0; /* bit i: word i of the old bucket */
    for (uint32_t i = 0; i < BUCKET_WORDS; i++) {
        uint64_t value = load_u64_relaxed(&old->words[i]);
        if (word_tag(value) == 0 || word_is_ghost(value) || !moves(s, value, to)) continue;
        store_u64_release(&new->words[i], value);
        moved |= 1u << i;
    }
    if (!lock_is_ours(s->cache, s->header)) return false;
    store_u32_release(&s->header->buckets, to + 1); /* pairs with index_size */
    index_count_move(s);
    for (uint32_t i = 0; i < BUCKET_WORDS; i++)
        if (moved & 1u << i) store_u64_release(&old->words[i], 0);
    return true;
}

/* An empty word of the stash, or null. */
static uint64_t *stash_room(const shard *s) {
    for (uint32_t i = 0; i < STASH_WORDS; i++)
        if (word_tag(load_u64_relaxed(stash_word(s, i))) == 0) return stash_word(s, i);
    return NULL;
}

/* Copies what is in the last bucket to the one that it was split from; what finds no room there
 * goes to the stash. False, and nothing happened, if that has no room. */
static bool copy_back(const shard *s, bucket *to, const bucket *last) {
    uint32_t needed = 0, room = STASH_WORDS;
    room -= min_u32(load_u32_relaxed(&s->header->stash_count), STASH_WORDS);
    for (uint32_t i = 0; i < BUCKET_WORDS; i++) {
        const uint64_t goes = load_u64_relaxed(&last->words[i]);
        const uint64_t there = load_u64_relaxed(&to->words[i]);
        needed += word_tag(goes) != 0 && !word_is_ghost(goes);
        room += word_tag(there) == 0 || word_is_ghost(there);
    }
    if (needed > room) return false;
    for (uint32_t i = 0; i < BUCKET_WORDS; i++) {
        const uint64_t goes = load_u64_relaxed(&last->words[i]);
        if (word_tag(goes) == 0 || word_is_ghost(goes)) continue;
        uint32_t used;
        uint64_t *word = first_empty(to, &used);
        if (!word) word = stash_room(s);
        if (!word || !index_publish(s, word, goes)) return false;
    }
    return true;
}

static bool undo_split(const shard *s) {
    const uint32_t buckets = index_size(s);
    if (buckets <= BUCKETS_MIN) return false;
    const uint32_t last = buckets - 1;
    bucket *to = index_bucket(s, last - (uint32_t)floor_power_of_two(last));
    bucket *from = index_bucket(s, last);
    if (!copy_back(s, to, from)) return false;
    if (!lock_is_ours(s->cache, s->header)) return false;
    store_u32_release(&s->header->buckets, last);
    index_count_move(s);
    for (uint32_t i = 0; i < BUCKET_WORDS; i++) store_u64_release(&from->words[i], 0);
    const uint32_t extents = index_extents_of(s, last);
    if (extents < load_u32_relaxed(&s->header->index_extents)) log_free_from_index(s, extents);
    return true;
}

bool index_wants_shrinking(const shard *s) {
    const uint32_t buckets = index_size(s);
    const uint64_t words = (uint64_t)buckets * BUCKET_WORDS;
    return buckets > BUCKETS_MIN && load_u64_relaxed(&s->header->entries) < words / SHRINK_BELOW;
}

void index_shrink(const shard *s, uint32_t splits_max) {
    for (uint32_t i = 0; i < splits_max && index_wants_shrinking(s); i++)
        if (!undo_split(s)) return;
}

void index_clear(const shard *s) {
    if (!lock_is_ours(s->cache, s->header)) return;
    store_u32_release(&s->header->buckets, BUCKETS_MIN);
    index_count_move(s);
    for (uint32_t number = 0; number < BUCKETS_MIN; number++)
        for (uint32_t i = 0; i < BUCKET_WORDS; i++)
            store_u64_release(&index_bucket(s, number)->words[i], 0);
    for (uint32_t i = 0; i < STASH_WORDS; i++) store_u64_release(stash_word(s, i), 0);
    store_u32_release(&s->header->stash_count, 0);
}

void index_walk(const shard *s, void (*visit)(void *context, uint64_t *word, uint32_t number),
                void *context) {
    uint32_t buckets = index_size(s);
    for (uint32_t number = 0; number < buckets; number++) {
        bucket *b = index_bucket(s, number);
        for (uint32_t i = 0; i < BUCKET_WORDS; i++)
            if (word_tag(load_u64_relaxed(&b->words[i])) != 0) visit(context, &b->words[i], number);
    }
    for (uint32_t i = 0; i < STASH_WORDS; i++) {
        uint64_t *word = stash_word(s, i);
        if (word_tag(load_u64_relaxed(word)) != 0) visit(context, word, INDEX_STASH);
    }
}
