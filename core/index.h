/* SPDX-License-Identifier: MIT
 *
 * index.h owns each shard's hash table: buckets of eight words (layout.h), two candidate
 * buckets per key (Azar et al., "Balanced allocations"), growing by linear hashing (Litwin,
 * "Linear hashing: a new tool for file and table addressing") one bucket at a time.
 *
 * Invariants, for readers without a lock:
 *  - a word changes by one 8-byte store; a key's word never moves between its two buckets;
 *  - a split copies words to the new bucket, then publishes the new size, then clears the old
 *    words: a reader that misses and sees the size unchanged has missed nothing;
 *  - a word lies in the bucket of its key's first hash if that is the bucket's number, else in
 *    that of the second; a split moves it by the same hash;
 *  - keys that find both buckets full lie in the stash, which readers search when not empty,
 *    until a split makes room in the bucket of their first hash. That move publishes the
 *    word in the bucket, counts stash_moves, and only then clears it in the stash.
 */
#ifndef FC_INDEX_H
#define FC_INDEX_H

#include "bucket.h"
#include "record.h"

/* Bucket number of a 32-bit hash in a table of `buckets`: linear hashing's address function. */
static inline uint32_t index_address(uint32_t hash, uint32_t buckets) {
    uint32_t low =
        (1u << (31 - (uint32_t)__builtin_clz(buckets))) - 1; /* 2^k - 1, 2^k <= buckets */
    uint32_t address = hash & (low << 1 | 1);
    return address < buckets ? address : hash & low;
}

/* Present number of buckets, or 0 if the segment is damaged there. Acquires: pairs with the
 * release in index_grow. */
static inline uint32_t index_size(const shard *s) {
    uint32_t buckets = load_u32_acquire(&s->header->buckets);
    return likely(buckets >= BUCKETS_MIN && buckets <= s->geometry->buckets_max) ? buckets : 0;
}

/* Bucket `number`, or null if the directory is damaged there. */
static inline bucket *index_bucket(const shard *s, uint32_t number) {
    const geometry *g = s->geometry;
    const uint32_t section = number >> g->buckets_per_extent_shift;
    if (unlikely(section >= g->extents)) return NULL;
    uint32_t extent = load_u32_relaxed(&s->directory[section]);
    if (unlikely(extent >= g->extents)) return NULL;
    uint32_t within = number & ((1u << g->buckets_per_extent_shift) - 1);
    return (bucket *)(void *)(s->extents + ((uint64_t)extent << g->extent_shift)) + within;
}

/* The bucket where a key with this hash lies, seen from bucket `number`: does it belong there? */
static inline bool index_belongs(uint64_t hash, uint32_t number, uint32_t buckets) {
    return index_address(hash_first(hash), buckets) == number ||
           index_address(hash_second(hash), buckets) == number;
}

/* False if the index is damaged there; *out is then of no use. `buckets` comes from index_size. */
static inline bool index_pair(const shard *s, uint64_t hash, uint32_t buckets, bucket_pair *out) {
    if (unlikely(!buckets)) return false;
    out->first = index_bucket(s, index_address(hash_first(hash), buckets));
    out->second = index_bucket(s, index_address(hash_second(hash), buckets));
    return likely(out->first && out->second);
}

/* Begin to fetch what an operation on the key touches first: its buckets, then, when they are
 * there, the beginning of its record. The pair has nulls if the index is damaged there; the word,
 * the first that bears the key's tag, is null if there is none. No effect on results. */
static inline void index_prefetch(const shard *s, uint64_t hash, bucket_pair *pair) {
    if (unlikely(!index_pair(s, hash, index_size(s), pair))) {
        *pair = (bucket_pair){NULL, NULL};
        return;
    }
    prefetch(pair->first);
    prefetch(pair->second);
}
static inline uint64_t *index_prefetch_record(const shard *s, uint64_t hash,
                                              const bucket_pair *pair) {
    if (unlikely(!pair->first)) return NULL;
    const uint64_t match = pair_match(pair, hash_tag(hash));
    if (!match) return NULL;
    uint64_t *word = pair_word(pair, match);
    /* A prefetch may go anywhere: the place is not checked. */
    const uint8_t *at = s->extents + word_offset(load_u64_relaxed(word));
    prefetch(at);
    prefetch(at + CACHE_LINE);
    return word;
}

/* ---- everything below needs the shard's lock */

typedef struct found {
    uint64_t *word;
    uint64_t value; /* of the word */
    record record;
} found;

/* The entry of a key. */
bool index_find(const shard *s, uint64_t hash, const void *key, uint32_t key_len, found *out);
/* The entry with that hash that has a part (record or chunk) at `offset`. */
bool index_find_part(const shard *s, uint64_t hash, uint64_t offset, found *out);

/* Leaves a ghost in place of an entry that was evicted. False as above. */
bool index_leave_ghost(const shard *s, uint64_t *word);
/* Was a key with this hash evicted, at most `age_max` ghosts ago? Its ghost goes. */
bool index_take_ghost(const shard *s, uint64_t hash, uint64_t age_max);

/* A word for a new key, in the emptier of its buckets, else in the stash; null if none. Ghosts
 * make room. */
uint64_t *index_room(const shard *s, uint64_t hash);
/* Some entry of a key's two buckets, for when index_room finds nothing. */
bool index_victim(const shard *s, uint64_t hash, found *out);

/* Stores a word into an empty place, or over one, or empties it. Readers see it at once. False, and
 * nothing was stored, if the lock is no longer ours: see lock_is_ours. */
bool index_publish(const shard *s, uint64_t *word, uint64_t value);
bool index_clear_word(const shard *s, uint64_t *word);

/* Would one more entry make the index too full? */
bool index_wants_growth(const shard *s);
/* Splits one bucket. False if that takes an extent and none can be spared, or at the limit. */
bool index_grow(const shard *s);

/* Calls visit(context, word, bucket number or STASH) for each word in use. */
#define INDEX_STASH 0xffffffffu
void index_walk(const shard *s, void (*visit)(void *context, uint64_t *word, uint32_t number),
                void *context);

#endif
