/* SPDX-License-Identifier: MIT
 *
 * mind.h owns what a process remembers from one operation to the next, and what it is at: should it
 * die, that may have taken effect or not.
 */
#ifndef SIM_MIND_H
#define SIM_MIND_H

#include "cache.h"
#include "calls.h"
#include "oracle.h"
#include "world.h"

enum pending {
    PENDING_NOTHING,
    PENDING_STORE,
    PENDING_ADD,
    PENDING_REMOVE,
    PENDING_INVALIDATE,
    PENDING_TOUCH
};

typedef struct mind {
    process *me;
    uint32_t slot; /* of the segment that it has open */
    const char *name;
    uint32_t key;
    uint64_t begin, began_ms;
    uint64_t dead_owner; /* of the key's shard, when the operation began; 0 if alive or nobody */
    uint64_t lockings;   /* of bytes, until then */
    enum pending pending;
    uint32_t count;
    uint32_t keys[ORACLE_KEYS_MAX];
    uint64_t ids[ORACLE_KEYS_MAX];
    due dues[ORACLE_KEYS_MAX];
    /* what it has read last, for a compare-and-set */
    uint32_t seen_key, seen_slot;
    uint64_t seen_id;
    double seen_version;
    caller c;
} mind;

/* What its next operation is about. */
uint64_t mind_below(mind *m, uint64_t limit);
uint32_t mind_key(mind *m);
uint32_t mind_value_key(mind *m); /* no number's */
/* The i-th of a batch: half of the batches are of neighbours, which are few twice. */
uint32_t mind_batch_key(mind *m, uint32_t first, uint32_t i);
uint32_t mind_length(mind *m);
double mind_ttl_ms(mind *m);

const cache *mind_cache(const mind *m);

/* With an fc_create. False if that could not be, for a reason that there may be. */
bool mind_open(mind *m, uint32_t create);

#endif
