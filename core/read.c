/* SPDX-License-Identifier: MIT
 *
 * read.c: see read.h.
 */
#include "read.h"

#include "expire.h"
#include "index.h"
#include "mark.h"

#define READ_ATTEMPTS 8
#define LINES_AHEAD 5u

typedef enum attempt { ATTEMPT_HIT, ATTEMPT_MISS, ATTEMPT_RETRY } attempt;

typedef struct reader {
    shard s;
    uint64_t sequence; /* of the shard, before anything else was read */
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
    return load_u64_relaxed(&r->s.generations[extent]) <= r->sequence;
}

/* Does the word lead to the key? */
static inline attempt examine(reader *r, uint64_t *word) {
    uint64_t value = load_u64_acquire(word); /* pairs with index_publish */
    if (unlikely(word_tag(value) != hash_tag(r->hash))) return ATTEMPT_MISS;
    /* The value's first lines at once with the header, not after it. Anything may be fetched. */
    const uint8_t *at = r->s.extents + word_offset(value);
    for (uint32_t line = 1; line <= LINES_AHEAD; line++) prefetch(at + line * CACHE_LINE);
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

static attempt search_stash(reader *r) {
    for (uint32_t i = 0; i < STASH_WORDS; i++) {
        attempt result = examine(r, &r->s.stash[i / BUCKET_WORDS].words[i % BUCKET_WORDS]);
        if (result != ATTEMPT_MISS) return result;
    }
    return ATTEMPT_MISS;
}

/* Both buckets are looked at as one, so that the fetches overlap and no branch depends on which of
 * them holds the key. */
static inline attempt search(reader *r) {
    const uint64_t stash_moves = load_u64_acquire(&r->s.header->stash_moves); /* with index.c */
    const uint32_t buckets = index_size(&r->s);
    if (unlikely(!buckets)) return ATTEMPT_MISS;
    bucket *first = index_bucket(&r->s, index_address(hash_first(r->hash), buckets));
    bucket *second = index_bucket(&r->s, index_address(hash_second(r->hash), buckets));
    if (unlikely(!first || !second)) return ATTEMPT_MISS;
    const uint16_t tag = hash_tag(r->hash);
    uint64_t match = bucket_match(first, tag) | (uint64_t)bucket_match(second, tag) << 32;
    for (; match; match &= match - 1) {
        uint32_t i = match_first(match);
        bucket *b = i < BUCKET_WORDS ? first : second;
        attempt result = examine(r, &b->words[i % BUCKET_WORDS]);
        if (likely(result != ATTEMPT_MISS)) return result;
    }
    if (unlikely(load_u32_acquire(&r->s.header->stash_count) != 0)) {
        attempt result = search_stash(r);
        if (result != ATTEMPT_MISS) return result;
    }
    /* A split, or the stash, may have moved the key behind our back. The words were read with
     * relaxed loads: the size is loaded again only after all of them. */
    fence_acquire();
    return likely(index_size(&r->s) == buckets &&
                  load_u64_relaxed(&r->s.header->stash_moves) == stash_moves)
               ? ATTEMPT_MISS
               : ATTEMPT_RETRY;
}

/* The chunks of a value in parts, then its last part. False if anything changed or is damaged. */
static bool copy_parts(const reader *r, uint8_t *value) {
    const record *head = &r->record;
    uint64_t left = head->header.value_len;
    for (uint32_t i = 0; i < head->chunks; i++) {
        record chunk;
        uint64_t offset = load_u64_acquire(&head->locations[i]); /* pairs with entry.c */
        if (!record_load(&r->s, offset, &chunk) || chunk.header.form != RECORD_CHUNK) return false;
        if (chunk.header.value_len > left || chunk.header.version != r->hash) return false;
        copy_from_shared(value, chunk.value, chunk.header.value_len);
        if (!unchanged(r, chunk.extent)) return false;
        value += chunk.header.value_len;
        left -= chunk.header.value_len;
    }
    if (left != head->value_here) return false;
    copy_from_shared(value, head->value, head->value_here);
    return true;
}

/* The only store of a read (contract R3), and only if it changes something. */
static inline void mark(const reader *r) {
    uint32_t before = word_mark(r->word_value);
    uint32_t after = mark_after_use(&r->s, before);
    if (unlikely(after != before)) mark_store(r->word, after);
}

int32_t read_entry(const cache *c, uint64_t hash, const void *key, uint32_t key_len, void *value,
                   uint32_t capacity, uint32_t flags, read_result *result) {
    reader r = {.s = shard_of(c, hash), .hash = hash, .key = key, .key_len = key_len};
    for (int i = 0; i < READ_ATTEMPTS; i++) {
        r.sequence = load_u64_acquire(&r.s.header->sequence); /* pairs with log.c */
        attempt found = search(&r);
        if (found == ATTEMPT_RETRY) continue;
        if (found == ATTEMPT_MISS) return FC_MISS;

        const record_header header = r.record.header;
        bool copied = true;
        bool fits = header.value_len <= capacity;
        if (fits && !(flags & READ_NO_VALUE)) {
            if (likely(r.record.chunks == 0))
                copy_from_shared(value, r.record.value, header.value_len);
            else
                copied = copy_parts(&r, value);
        }
        if (unlikely(!unchanged(&r, r.record.extent) || !copied)) continue;
        if (cache_lost(c)) return FC_MISS;
        if (deadline_passed(c, header.deadline_ms)) return FC_MISS;
        if (!(flags & FC_PEEK) && fits) mark(&r);
        result->version = header.version;
        result->deadline_ms = header.deadline_ms;
        result->value_len = header.value_len;
        result->type = header.type;
        return fits || (flags & READ_NO_VALUE) ? (int32_t)header.value_len : FC_BUFFER_TOO_SMALL;
    }
    return FC_MISS;
}
