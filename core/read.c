/* SPDX-License-Identifier: MIT
 *
 * read.c: see read.h.
 */
#include "read.h"

#include "arguments.h"
#include "mark.h"
#include "tag.h"

#define READ_ATTEMPTS 8
#define LINES_AHEAD 5u

/* Of a longer value the processor fetches the rest ahead by itself. */
#define PREFETCH_MAX 2048u

typedef enum attempt { ATTEMPT_HIT, ATTEMPT_MISS, ATTEMPT_RETRY } attempt;

typedef struct reader {
    shard s;
    uint64_t sequence;    /* of the shard, before anything else was read */
    uint64_t index_moves; /* likewise */
    uint64_t hash;
    const void *key;
    uint32_t key_len;
    uint64_t *word;
    uint64_t word_value;
    record record;
} reader;

/* Were the bytes that we read from the extent there when we loaded the sequence? The fence
 * pairs with the release fence in log.c: whoever saw bytes of a new life sees its generation. */
static inline bool unchanged(const reader *r, uint32_t extent) {
    fence_acquire();
    return load_u64_relaxed(&r->s.lives[extent].generation) <= r->sequence;
}

/* May words have gone elsewhere? After an acquire fence. */
static inline bool index_moved(const reader *r) {
    return load_u64_relaxed(&r->s.header->index_moves) != r->index_moves;
}

/* Was the word a word when it was read, or does its extent hold records by now, which may contain
 * anything? After an acquire fence. The stash is never used for anything else. */
static inline bool word_reused(const reader *r) {
    const uint64_t offset = (uint64_t)((const uint8_t *)r->word - r->s.extents);
    if (unlikely(offset >= r->s.geometry->shard_data_bytes)) return false;
    const uint32_t extent = (uint32_t)extent_of(&r->s, offset);
    return load_u64_relaxed(&r->s.lives[extent].generation) > r->sequence;
}

/* Does the word lead to the key? */
static inline attempt examine(reader *r, uint64_t *word) {
    uint64_t value = load_u64_acquire(word); /* pairs with index_publish */
    if (unlikely(word_tag(value) != hash_tag(r->hash))) return ATTEMPT_MISS;
    bool whole = record_load(&r->s, word_offset(value), &r->record);
    if (likely(whole && r->record.key && record_has_key(&r->record, r->key, r->key_len))) {
        r->word = word;
        r->word_value = value;
        return ATTEMPT_HIT; /* the caller checks the generation after it has copied */
    }
    /* Another key, or bytes of a reused extent that only look so. */
    bool reused = r->record.extent != EXTENT_NONE && !unchanged(r, r->record.extent);
    return reused ? ATTEMPT_RETRY : ATTEMPT_MISS;
}

/* As examine, when nothing has fetched the record yet: the value's first lines at once with the
 * header, not after it. A prefetch may go anywhere. */
__attribute__((always_inline)) static inline attempt fetch_and_examine(reader *r, uint64_t *word) {
    const uint8_t *at = r->s.extents + word_offset(load_u64_relaxed(word));
    for (uint32_t line = 1; line <= LINES_AHEAD; line++) prefetch(at + line * CACHE_LINE);
    return examine(r, word);
}

static attempt search_stash(reader *r) {
    for (uint32_t i = 0; i < STASH_BUCKETS; i++) {
        const bucket *b = &r->s.stash[i];
        for (uint32_t match = bucket_match(b, hash_tag(r->hash)); match; match &= match - 1) {
            const uint32_t word = i * BUCKET_WORDS + (uint32_t)__builtin_ctz(match) / 4;
            attempt result = examine(r, stash_word(&r->s, word));
            if (result != ATTEMPT_MISS) return result;
        }
    }
    return ATTEMPT_MISS;
}

__attribute__((always_inline)) static inline attempt search(reader *r) {
    const uint32_t buckets = index_size(&r->s);
    bucket_pair pair;
    if (unlikely(!index_pair(&r->s, r->hash, buckets, &pair))) return ATTEMPT_MISS;
    for (uint64_t match = pair_match(&pair, hash_tag(r->hash)); match; match &= match - 1) {
        attempt result = fetch_and_examine(r, pair_word(&pair, match));
        if (likely(result != ATTEMPT_MISS)) return result;
    }
    if (unlikely(load_u32_acquire(&r->s.header->stash_count) != 0)) {
        attempt result = search_stash(r);
        if (result != ATTEMPT_MISS) return result;
    }
    /* The key may have moved behind our back. The words were read with relaxed loads: whether any
     * moved is asked only after all of them. */
    fence_acquire();
    return likely(!index_moved(r)) ? ATTEMPT_MISS : ATTEMPT_RETRY;
}

/* The chunks of a value in parts, then its last part. False if anything changed or is damaged. */
static bool copy_parts(const reader *r, uint8_t *value) {
    const record *head = &r->record;
    uint64_t left = head->value_len;
    for (uint32_t i = 0; i < head->chunks; i++) {
        record chunk;
        uint64_t offset = load_u64_acquire(&head->locations[i]); /* pairs with entry.c */
        if (!record_load(&r->s, offset, &chunk) || chunk.kind != RECORD_CHUNK) return false;
        if (chunk.value_len > left || chunk.identity != r->hash) return false;
        copy_from_shared(value, chunk.value, chunk.value_len);
        if (!unchanged(r, chunk.extent)) return false;
        value += chunk.value_len;
        left -= chunk.value_len;
    }
    if (left != head->value_here) return false;
    copy_from_shared(value, head->value, head->value_here);
    return true;
}

/* After its deadline, or dead by its tags: does the key still have this record, with this deadline?
 * Else it has been stored or touched since it was read, and may have lived all the time. */
__attribute__((noinline)) static bool still_the_entry(const reader *r) {
    record now;
    fence_acquire();                                                /* behind clock and tags */
    const uint64_t offset = word_offset(load_u64_acquire(r->word)); /* pairs with index_publish */
    return offset == r->record.offset && record_load(&r->s, offset, &now) &&
           now.deadline_ms == r->record.deadline_ms && unchanged(r, now.extent);
}

/* Is the record, which was whole, over? What it bears of tags is read only now, and may have been
 * written over. */
static inline attempt alive(const reader *r) {
    const bool over = record_over(r->s.cache, &r->record);
    if (r->record.shape & SHAPE_BIRTH && !unchanged(r, r->record.extent)) return ATTEMPT_RETRY;
    if (likely(!over)) return ATTEMPT_HIT;
    return still_the_entry(r) ? ATTEMPT_MISS : ATTEMPT_RETRY;
}

/* The only store of a read (contract R3), and only if it changes something. */
static inline void mark(const reader *r) {
    uint32_t before = word_mark(r->word_value);
    uint32_t after = mark_after_use(&r->s, r->record.extent, before);
    if (unlikely(after != before)) mark_note(r->word, r->word_value, after);
}

/* `word` is where the key is likely to be, or null; r.sequence is then of before it was found: the
 * word's extent, or the record's, may have been reused since. */
__attribute__((always_inline)) static inline int32_t read_from(reader r, uint64_t *word,
                                                               void *value, uint32_t capacity,
                                                               uint32_t flags,
                                                               read_result *result) {
    const cache *c = r.s.cache;
    for (int i = 0; i < READ_ATTEMPTS; i++) {
        if (!word) r.sequence = load_u64_acquire(&r.s.header->sequence); /* pairs with log.c */
        r.index_moves = load_u64_acquire(&r.s.header->index_moves);      /* pairs with index.c */
        attempt found = word ? examine(&r, word) : ATTEMPT_MISS;
        word = NULL;
        if (found == ATTEMPT_MISS) found = search(&r);
        if (found == ATTEMPT_RETRY) continue;
        if (found == ATTEMPT_MISS) return FC_MISS;

        bool copied = true;
        bool fits = r.record.value_len <= capacity;
        if (fits && !(flags & FC_NO_VALUE)) {
            if (likely(r.record.chunks == 0))
                copy_from_shared(value, r.record.value, r.record.value_len);
            else
                copied = copy_parts(&r, value);
        }
        if (unlikely(!unchanged(&r, r.record.extent) || word_reused(&r) || !copied)) continue;
        if (cache_lost(c)) return FC_MISS;
        if (unlikely(r.record.shape & (SHAPE_DEADLINE | SHAPE_BIRTH))) {
            const attempt lives = alive(&r);
            if (lives == ATTEMPT_MISS) return FC_MISS;
            if (lives == ATTEMPT_RETRY) continue;
        }
        if (!(flags & FC_PEEK) && fits) mark(&r);
        result->version = record_version(&r.record);
        result->deadline_ms = r.record.deadline_ms;
        result->value_len = r.record.value_len;
        result->type = r.record.type;
        return fits || (flags & FC_NO_VALUE) ? (int32_t)r.record.value_len : FC_BUFFER_TOO_SMALL;
    }
    return FC_MISS;
}

/* Counts on the calls that use an entry; one whose value did not fit will be asked for again. */
static inline void count_use(const cache *c, int32_t status, uint32_t flags) {
    if ((flags & FC_PEEK) || status == FC_BUFFER_TOO_SMALL) return;
    cache_count_read(c, status != FC_MISS ? COUNT_HITS : COUNT_MISSES);
}

int32_t read_get(const cache *c, const void *key, uint32_t key_len, void *value, uint32_t capacity,
                 uint32_t flags, read_result *result) {
    const int32_t key_status = key_check(key_len);
    if (unlikely(key_status != FC_OK)) return key_status;
    const uint64_t hash = fc_hash(key, key_len, c->hash_seed);
    const reader r = {.s = shard_of(c, hash), .hash = hash, .key = key, .key_len = key_len};
    const int32_t status = read_from(r, NULL, value, capacity, flags, result);
    count_use(c, status, flags);
    return status;
}

/* Everything but the value, without a trace. */
static int32_t inspect(const cache *c, const void *key, uint32_t key_len, read_result *result) {
    return read_get(c, key, key_len, NULL, 0, FC_PEEK | FC_NO_VALUE, result);
}

int32_t read_has(const cache *c, const void *key, uint32_t key_len) {
    read_result result;
    const int32_t status = inspect(c, key, key_len, &result);
    return status >= 0 ? FC_OK : status;
}

int32_t read_ttl(const cache *c, const void *key, uint32_t key_len, double *ttl_ms) {
    read_result result;
    const int32_t status = inspect(c, key, key_len, &result);
    if (status < 0) return status;
    *ttl_ms = deadline_distance(c, result.deadline_ms);
    return FC_OK;
}

/* ---------------------------------------------------------------- in stages */

void read_begin(const cache *c, lookup *l) {
    l->hash = fc_hash(l->key, l->key_len, c->hash_seed);
    l->s = shard_of(c, l->hash);
    l->sequence = load_u64_acquire(&l->s.header->sequence); /* pairs with log.c */
    index_prefetch(&l->s, l->hash, &l->pair);
}

void read_approach(lookup *l) {
    l->word = index_prefetch_record(&l->s, l->hash, &l->pair);
    const uint64_t offset = l->word ? word_offset(load_u64_relaxed(l->word)) : UINT64_MAX;
    if (offset > l->s.geometry->shard_data_bytes - RECORD_HEADER) l->word = NULL;
    l->record = l->word ? l->s.extents + offset : NULL;
}

void read_approach_value(const lookup *l) {
    if (!l->record) return;
    /* A header's worth of bytes is inside the shard, as read_approach has checked; what the lengths
     * say is not checked. */
    const uint64_t shape = load_u64_relaxed((const uint64_t *)(const void *)l->record + 1);
    const uint32_t size = min_u32((uint32_t)shape, PREFETCH_MAX) + RECORD_HEADER;
    for (uint32_t line = 2 * CACHE_LINE; line < size; line += CACHE_LINE)
        prefetch(l->record + line);
}

int32_t read_finish(const lookup *l, void *value, uint32_t capacity, uint32_t flags,
                    read_result *result) {
    const int32_t key_status = key_check(l->key_len);
    if (unlikely(key_status != FC_OK)) return key_status;
    const reader r = {
        .s = l->s, .sequence = l->sequence, .hash = l->hash, .key = l->key, .key_len = l->key_len};
    const int32_t status = read_from(r, l->word, value, capacity, flags, result);
    count_use(l->s.cache, status, flags);
    return status;
}
