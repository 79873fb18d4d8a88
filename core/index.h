/* SPDX-License-Identifier: MIT
 *
 * index.h owns each shard's hash table: buckets of eight words (layout.h), two candidate
 * buckets per key (Azar et al., "Balanced allocations"), growing by linear hashing (Litwin,
 * "Linear hashing: a new tool for file and table addressing") one bucket at a time.
 *
 * The table grows down from the end of the shard's last extent: bucket i is the (i + 1)-th from
 * there. It grows by load, and shrinks, when under a quarter is in use, by undoing splits.
 *
 * Invariants, for readers without a lock:
 *  - a word changes by one 8-byte store; a key's word never moves between its two buckets, and
 *    tells which of the two hashes led to its bucket (WORD_SECOND);
 *  - a split copies words to the new bucket, publishes the new size, counts index_moves, and then
 *    clears the old words; what undoes it copies words to the old bucket (or the stash), publishes
 *    the new size, counts, and clears. So a reader that misses and sees index_moves unchanged has
 *    missed nothing: the size alone would not tell, since it may have changed and changed back;
 *  - a reader that hits asks whether the extent of the word was reused;
 *  - keys that find both buckets full lie in the stash, which readers search when not empty, until
 *    there is room in the bucket that their word tells. That move publishes the word in the bucket,
 *    counts index_moves, and only then clears it in the stash.
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

/* Bucket `number`, which is below an index_size. */
static inline bucket *index_bucket(const shard *s, uint32_t number) {
    return (bucket *)(void *)(s->extents + s->geometry->shard_data_bytes) - 1 - number;
}

/* Extents that hold so many buckets. */
static inline uint32_t index_extents_of(const shard *s, uint32_t buckets) {
    return ((buckets - 1) >> s->geometry->buckets_per_extent_shift) + 1;
}

/* The hash that led to the word's bucket. */
static inline uint32_t index_hash_of(uint64_t hash, uint64_t word) {
    return word_by_second(word) ? hash_second(hash) : hash_first(hash);
}
/* Does a word of a key with this hash belong into bucket `number`? */
static inline bool index_belongs(uint64_t hash, uint64_t word, uint32_t number, uint32_t buckets) {
    return index_address(index_hash_of(hash, word), buckets) == number;
}

/* False if the index is damaged there; *out is then of no use. `buckets` comes from index_size. */
static inline bool index_pair(const shard *s, uint64_t hash, uint32_t buckets, bucket_pair *out) {
    if (unlikely(!buckets)) return false;
    out->first = index_bucket(s, index_address(hash_first(hash), buckets));
    out->second = index_bucket(s, index_address(hash_second(hash), buckets));
    return true;
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
/* The same for a key that is new, into a word from index_room. */
bool index_publish_new(const shard *s, uint64_t hash, uint64_t *word, uint64_t value);
bool index_clear_word(const shard *s, uint64_t *word);

/* Would one more entry make the index too full? */
bool index_wants_growth(const shard *s);
/* The extent that the next split needs, which has to be free by then; EXTENT_NONE if none. */
uint32_t index_next_extent(const shard *s);
/* Splits one bucket. False if its extent is not free or cannot be spared, or at the limit. */
bool index_grow(const shard *s);
/* Is so little of the index in use that splits should be undone? */
bool index_wants_shrinking(const shard *s);
/* Undoes up to `splits_max` splits, while that is so. */
void index_shrink(const shard *s, uint32_t splits_max);
/* Counts a move of words; to be done when there may have been one that was not counted. */
void index_count_move(const shard *s);
/* Takes a word out of the stash, if there is one for whose bucket has room. */
void index_drain(const shard *s);
/* Empties the index: nothing is reachable afterwards, and its size is the smallest. */
void index_clear(const shard *s);

/* Calls visit(context, word, bucket number or STASH) for each word in use. */
#define INDEX_STASH 0xffffffffu
void index_walk(const shard *s, void (*visit)(void *context, uint64_t *word, uint32_t number),
                void *context);

#endif
