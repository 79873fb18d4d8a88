/* SPDX-License-Identifier: MIT
 *
 * tag.h owns the segment's table of tags (layout.h), by which entries are invalidated all at once:
 * which slots a tag has, what an entry bears of its tags, and whether it is over because of them.
 *
 * Each invalidation takes the next number n of the segment's counter, and raises the two slots of
 * its tag to n at least. An entry was born at the number that the counter had when its storing call
 * began; it is dead if, for one of its tags, the lower of the two slots is above that. What it
 * bears, birth and slots, never changes while it is stored.
 *
 * Invariants (contract G1, G2):
 *  - the counter and every slot only ever grow, and no slot is above the counter: so what is dead
 *    stays dead, and an entry born at the counter's present number lives, without a look at slots;
 *  - a slot is raised behind its counter (release), and slots are loaded with acquire: so who has
 *    seen an entry dead and stores another in its place gives it a birth that is not below them;
 *  - an invalidation that ended midway has done nothing but what collisions may do: entries that
 *    have both of their slots above their birth are dead, others live. Nothing has to be undone;
 *  - tags that share both slots die together; so collisions can only invalidate too much;
 *  - nothing needs a lock. A table that damage raises, or damage to what an entry bears, makes
 *    misses; a word that damage lowers can let invalidated entries live again.
 */
#ifndef FC_TAG_H
#define FC_TAG_H

#include "clock.h"
#include "record.h"

/* What an entry bears of its tags. */
typedef struct tag_set {
    uint64_t birth;
    uint32_t count;
    uint64_t slots[RECORD_TAGS_MAX]; /* of each tag, its two slots: see layout.h */
} tag_set;

/* Reads `len` bytes of packed tags (fc_tags of fastcache.h) of an entry that is born now. Returns
 * the bytes used, or FC_INVALID_ARGUMENT. */
int32_t tag_read(const cache *c, const uint8_t *packed, uint64_t len, tag_set *out);
/* What a record bears; false if it bears none, or what cannot be. */
bool tag_of_record(const record *r, tag_set *out);

/* As fc_delete_by_tag. */
int32_t tag_invalidate(const cache *c, const void *tag, uint32_t tag_len);
static inline const uint64_t *tag_table(const cache *c) {
    return (const uint64_t *)(const void *)(c->base + c->geometry.tags_offset);
}
/* How often anything was invalidated in this segment. */
static inline uint64_t tag_now(const cache *c) {
    return load_u64_relaxed(&tag_table(c)[TAG_COUNTER]);
}
/* The birth of what is computed from now on: who gets the number of an invalidation reads no source
 * that is older than that invalidation's call. */
static inline uint64_t tag_birth(const cache *c) {
    return load_u64_acquire(&tag_table(c)[TAG_COUNTER]); /* pairs with tag_invalidate */
}
/* How many of these have ended: their slots are raised. (Who died midway never counts.) */
static inline uint64_t tag_ended(const cache *c) {
    return load_u64_acquire(&tag_table(c)[TAG_ENDED]); /* pairs with tag_invalidate */
}
/* Of the first `*looked` slots, at most, how many an invalidation has ever raised. */
uint64_t tag_raised(const cache *c, uint64_t *looked);

/* Is what bears these dead? */
bool tag_set_invalidated(const cache *c, const tag_set *tags);

/* Is a record that has SHAPE_BIRTH dead? Loads from it: without a lock the caller asks behind this
 * whether its extent was reused. */
bool tag_invalidated(const cache *c, const record *r);

/* The same for any record. */
static inline bool record_is_tagged(const record *r) { return unlikely(r->shape & SHAPE_BIRTH); }
static inline bool record_invalidated(const cache *c, const record *r) {
    return record_is_tagged(r) && tag_invalidated(c, r);
}
/* Is it over, by its deadline or by its tags? */
static inline bool record_over(const cache *c, const record *r) {
    return deadline_passed(c, r->deadline_ms) || record_invalidated(c, r);
}

#endif
