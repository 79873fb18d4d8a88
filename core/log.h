/* SPDX-License-Identifier: MIT
 *
 * log.h owns a shard's extents: which are free, which are open (one per lane), appending, and
 * the generations that tell readers that an extent was reused.
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

/* Extents that only the cleaner and nobody's set may use: it needs room to make room. */
#define LOG_RESERVE 2u

#define LOG_FULL UINT64_MAX

/* A value on its way into the log: its first parts may lie in chunks already. */
typedef struct log_value {
    const uint8_t *rest; /* what is not in chunks yet; may lie in the segment */
    uint32_t rest_len;
    uint32_t split_min; /* cut off a chunk only where an extent's rest has so many bytes */
    uint32_t chunks;
    uint64_t locations[CHUNKS_MAX];
} log_value;

/* Appends an entry: `header` with key_len and value_len set, form is chosen here. A record that
 * does not fit the open extent's rest fills it with a chunk, so that little is wasted. Returns
 * the offset to publish, or LOG_FULL (after log_needs() free extents that cannot happen). */
uint64_t log_append(const shard *s, uint32_t lane, uint64_t hash, record_header header,
                    const uint8_t *key, log_value *value);

/* Appends a part of a value as chunks whose offsets go to locations[*count] and on. False if
 * there is no room, or if more than `count_max` locations were needed. */
bool log_append_chunks(const shard *s, uint32_t lane, uint64_t hash, const uint8_t *bytes,
                       uint32_t len, uint64_t *locations, uint32_t *count, uint32_t count_max);
/* `split_min` for parts that move: larger, lest values are cut ever smaller. */
uint32_t log_split_min_moving(const shard *s);
/* Most chunks of one entry: a head has to fit into an extent. */
uint32_t log_chunks_max(const shard *s);
/* Could a record of `size` bytes be appended without opening an extent? */
bool log_fits_tail(const shard *s, uint32_t lane, uint64_t size);

/* Free extents that appending such an entry may take, at most. */
uint32_t log_needs(const shard *s, uint32_t lane, uint32_t key_len, uint32_t value_len);

/* Forgets `size` live bytes at `offset`; frees the extent if they were its last. */
void log_release(const shard *s, uint64_t offset, uint32_t size);
/* The same for the chunk at `offset`; ignores an offset where there is none. */
void log_release_chunk(const shard *s, uint64_t offset);
/* Frees an extent that the index does not reach any more. */
void log_free(const shard *s, uint32_t extent);
/* Closes the lane's open extent, if any. */
void log_seal(const shard *s, uint32_t lane);
/* The present epoch ends: what was open for it is now open for the one before. */
void log_epoch_end(const shard *s);
/* Notes that a record of `extent` has a deadline, before the record is published; 0 for none. */
void log_note_deadline(const shard *s, uint32_t extent, uint64_t deadline_ms);
static inline void log_lower_deadline(uint64_t *bound, uint64_t deadline_ms) {
    if (deadline_ms < load_u64_relaxed(bound)) store_u64_relaxed(bound, deadline_ms);
}
/* Is this an open extent? */
bool log_is_open(const shard *s, uint32_t extent);
/* The queue of the extent that `offset` lies in. */
enum queue log_queue(const shard *s, uint64_t offset);
/* A free extent, to hold buckets from now on; EXTENT_NONE if none can be spared. */
uint32_t log_take_for_index(const shard *s);

/* Bytes that records may take: extents that do not hold the index. */
uint64_t log_capacity(const shard *s);

#endif
