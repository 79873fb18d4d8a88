/* SPDX-License-Identifier: MIT
 *
 * evict.h owns what an eviction policy is: its traits, which log, index and readers go by, and its
 * decisions: where entries are placed (lanes, queues and marks: layout.h), and what becomes of an
 * entry that the eviction walk of clean.c meets in the first extent of a queue. A policy is one
 * file, evict_<name>.c, and a row of the table in evict.c.
 */
#ifndef FC_EVICT_H
#define FC_EVICT_H

#include "layout.h"

struct shard;
struct found;

/* Where a record goes: the lane it is appended to, and the mark its entry has then. */
typedef struct placement {
    uint32_t lane;
    uint32_t mark;
} placement;

typedef struct verdict {
    bool stays;
    bool leaves_ghost; /* if it does not stay */
    placement where;   /* if it stays */
} verdict;

typedef struct eviction_policy {
    const char *name;       /* for users */
    uint32_t index_load;    /* of 64 words of the index, so many in use at most */
    bool marks_count_reads; /* what marks are: see mark.h */
    enum queue lane_queue[LANES];
    uint32_t lane_age[LANES]; /* epochs that a lane lies behind the present one */

    /* Where an entry goes that is written: a new one, or over an `existing` one. */
    placement (*admit)(const struct shard *s, uint64_t hash, const struct found *existing);
    /* Where an entry goes that moves for another reason than eviction. */
    placement (*keep)(const struct shard *s, const struct found *entry);
    /* From which queue something has to leave. `by_count`: entries are short, not bytes. */
    enum queue (*choose)(const struct shard *s, bool by_count);
    /* What becomes of an entry that is met in `queue`. */
    verdict (*judge)(const struct shard *s, enum queue queue, const struct found *entry);
} eviction_policy;

extern const eviction_policy evict_lru;
extern const eviction_policy evict_s3fifo;

/* The policy of an fc_eviction, or null. */
const eviction_policy *eviction_policy_of(uint32_t number);

#endif
