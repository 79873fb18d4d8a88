/* SPDX-License-Identifier: MIT
 *
 * log.h owns a shard's extents: which are free, which are open (one per lane), appending, the bytes
 * that are live in each, and the generations that tell readers that an extent was reused.
 *
 * Opening an extent: its generation becomes sequence + 1, then (release fence) its bytes may
 * change, then (release) sequence + 1 is published, then records in it are published. A reader
 * loads the sequence first and trusts bytes of an extent only if its generation, loaded after
 * the bytes (acquire fence), is not greater: then the extent was not reopened in between.
 *
 * All calls need the shard's lock. Numbers read from the segment are checked before use; where
 * they are impossible a call does nothing or fails, and the next guard_lock recounts.
 */
#ifndef FC_LOG_H
#define FC_LOG_H

#include "record.h"

/* Extents that only the cleaner and nobody's set may use: it needs room to make room. An entry
 * that moves may begin two in its lane, and two lanes are filled at a time. */
#define LOG_RESERVE 4u

#define LOG_FULL UINT64_MAX

/* What becomes a record: all but the kind, which follows from where there is room. */
typedef struct log_entry {
    uint64_t identity; /* version and key_len */
    uint64_t shape;    /* value_len, type, what it has, number of words */
    const uint64_t *words;
    const uint8_t *key;
    uint64_t hash;           /* of the key */
    uint64_t deadline_ms;    /* 0 for none; also among the words */
    const uint8_t *piece[2]; /* the value behind the solid extents; may lie in the segment */
    uint32_t piece_len[2];
    const uint64_t *solids; /* locations of its solid extents */
    uint32_t solid_count;
} log_entry;

/* Appends a record. One that does not fit the open extent's rest fills it with a chunk, so that
 * little is wasted. Returns the offset to publish, or LOG_FULL (after log_needs() free extents that
 * cannot happen). */
uint64_t log_append(const shard *s, uint32_t lane, const log_entry *entry);

/* Bytes of a value that a solid extent holds. */
static inline uint32_t log_solid_bytes(const shard *s) {
    return s->geometry->extent_bytes - (uint32_t)RECORD_HEADER;
}
/* Stores so many bytes in an extent of their own. Its offset, or LOG_FULL. */
uint64_t log_append_solid(const shard *s, uint32_t lane, uint64_t hash, const uint8_t *bytes,
                          uint64_t deadline_ms);

/* Free extents that appending such an entry may take, at most. */
uint32_t log_needs(const shard *s, uint32_t lane, uint32_t words, uint32_t key_len,
                   uint32_t value_len);
/* Bytes that such an entry takes. */
uint64_t log_size(const shard *s, uint32_t words, uint32_t key_len, uint32_t value_len);

/* Forgets a live record, and marks it as dead; frees the extent if it was the last there. The
 * deadline is its entry's. */
void log_release(const shard *s, const record *r, uint64_t deadline_ms);
/* The same for the chunk at `offset`; ignores an offset where there is none. */
void log_release_chunk(const shard *s, uint64_t offset, uint64_t deadline_ms);
/* A record's bytes are live from now on; they came by recounting, not by appending. */
void log_count_live(const shard *s, const record *r, uint64_t deadline_ms);
/* The deadline of a live record changes. */
void log_change_deadline(const shard *s, const record *r, uint64_t before_ms, uint64_t after_ms);
/* The extent of a solid chunk goes over to the queue and epoch of `lane`. */
void log_move_solid(const shard *s, uint64_t offset, uint32_t lane);

/* Frees an extent that the index does not reach any more. */
void log_free(const shard *s, uint32_t extent);
/* Closes the lane's open extent, if any. */
void log_seal(const shard *s, uint32_t lane);
/* The present epoch ends: what was open for it is now open for the one before. */
void log_epoch_end(const shard *s);
/* The open extents, and whether one is among them. */
typedef struct open_lanes {
    uint32_t extents[LANES];
} open_lanes;
static inline open_lanes log_open_lanes(const shard *s) {
    open_lanes open;
    for (uint32_t lane = 0; lane < LANES; lane++)
        open.extents[lane] = load_u32_relaxed(&s->header->open_extents[lane]);
    return open;
}
static inline bool lane_is_open(const open_lanes *open, uint32_t extent) {
    return open->extents[0] == extent || open->extents[1] == extent;
}
static inline bool log_is_open(const shard *s, uint32_t extent) {
    const open_lanes open = log_open_lanes(s);
    return lane_is_open(&open, extent);
}
/* Does this chunk fill an extent? */
static inline bool log_is_solid(const shard *s, const record *chunk) {
    return chunk->size == s->geometry->extent_bytes;
}
/* The queue of the extent that `offset` lies in. */
enum queue log_queue(const shard *s, uint64_t offset);
/* A free extent goes to the index. False if it is not free, or none can be spared. */
bool log_take_for_index(const shard *s, uint32_t extent);
/* The index is left with so many extents: the next one is free again. */
void log_free_from_index(const shard *s, uint32_t extents);
/* Writes a solid chunk anew, into another extent. Its place there, or LOG_FULL. */
uint64_t log_copy_solid(const shard *s, const record *chunk, uint64_t deadline_ms);

/* Bytes that records may take: extents that do not hold the index. */
uint64_t log_capacity(const shard *s);
/* Bytes of records in an extent. */
static inline uint32_t log_used(const shard *s, uint32_t extent) {
    return min_u32(load_u32_relaxed(&s->states[extent].used), s->geometry->extent_bytes);
}

#endif
