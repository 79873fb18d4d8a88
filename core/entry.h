/* SPDX-License-Identifier: MIT
 *
 * entry.h owns what happens to a whole entry: it enters the index and the log together,
 * leaves both together, and moves in the log without a reader noticing. All calls need the
 * shard's lock.
 *
 * Order everywhere: complete bytes first, then the word that makes them reachable, then the
 * release of what became unreachable.
 */
#ifndef FC_ENTRY_H
#define FC_ENTRY_H

#include "index.h"
#include "log.h"
#include "tag.h"

/* A value to store. */
typedef struct entry_value {
    const uint8_t *bytes;
    uint32_t len;
    uint32_t type;        /* fc_type */
    uint64_t deadline_ms; /* 0 for none */
    uint64_t version;
    uint64_t have;         /* the bits of the shape that tell of the words, and how many */
    const uint64_t *words; /* in front of the key, in the order of layout.h */
} entry_value;

/* The words of an entry with that deadline and tags, and the bits that tell of them. */
#define ENTRY_WORDS_MAX (2 + RECORD_TAGS_MAX)
uint64_t entry_words(uint64_t deadline_ms, const tag_set *tags, uint64_t words[ENTRY_WORDS_MAX]);

/* Appends a record and publishes it: over `existing` if that is not null, else into the empty
 * word `room`. Counts it. False if the log has no room, or if the lock is no longer ours (see
 * lock_is_ours; so also below); nothing changed then. */
bool entry_store(const shard *s, placement where, uint64_t hash, const void *key, uint32_t key_len,
                 const entry_value *value, const found *existing, uint64_t *room);

/* Live bytes of all its parts; and without its solid extents: what moves. */
uint64_t entry_bytes(const shard *s, const found *entry);
uint64_t entry_moving_bytes(const shard *s, const found *entry);

/* Entries that are dead by their tags may lie anywhere: let the hand of reap.c begin a lap. */
void entry_survey(const shard *s);

/* Takes the entry out of the index and forgets its bytes. */
bool entry_drop(const shard *s, const found *entry);
/* The same for one that is over, counted as expired or as deleted by tag. */
bool entry_drop_over(const shard *s, const found *entry);
/* As entry_drop, but a ghost stays. */
bool entry_drop_to_ghost(const shard *s, const found *entry);
/* The same for one whose record cannot be read any more, in a damaged segment: what other parts it
 * had is not known. */
bool entry_drop_unreadable(const shard *s, const found *entry);

/* Gives the entry another deadline, 0 for none, and marks it as used. A record without a word for
 * it is written anew, which needs room: see entry_lacks_deadline. */
bool entry_touch(const shard *s, placement where, uint64_t hash, const found *entry,
                 uint64_t deadline_ms);
static inline bool entry_lacks_deadline(const found *entry) {
    return !(entry->record.shape & SHAPE_DEADLINE);
}

/* Appends the entry's record anew, with the chunk it may have at the end of an extent; its solid
 * extents stay where they are, and go over to the lane's queue. */
bool entry_move(const shard *s, placement where, uint64_t hash, const found *entry);

/* Writes one of the entry's solid chunks anew, so that its extent becomes free. */
bool entry_move_solid(const shard *s, const found *entry, const record *chunk);

#endif
