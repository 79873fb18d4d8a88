/* SPDX-License-Identifier: MIT
 *
 * scenario.h owns the operations that the stepper attacks: for each a segment of one shard filled
 * in a certain way, and one call. The keys are numbered; number 0 is the one that the call is about.
 * The same seed gives the same segment, byte for byte but for the clock.
 */
#ifndef FC_TEST_SCENARIO_H
#define FC_TEST_SCENARIO_H

#include "cache.h"
#include "harness.h"

#define STAGE_KEYS_MAX 4096u
#define STAGE_VALUE_MAX 65536u
#define SUBJECT 0u

/* A segment under attack, seen through one handle. */
typedef struct stage {
    uint32_t handle;
    cache *cache;
    uint32_t keys; /* numbers below this were stored, perhaps */
    /* The key of number i is that of names[i]: numbers that a scenario has searched for. */
    uint32_t names[STAGE_KEYS_MAX];
} stage;

typedef struct scenario {
    const char *name;
    void (*fill)(stage *s);
    int32_t (*call)(const stage *s); /* in another process, on its own handle */
    int32_t result;                  /* of the call */
    bool evicts;                     /* other keys may leave, for this and the next calls */
    bool lasts;                      /* the subject is the same before and after */
    uint32_t eviction;               /* fc_eviction */
    uint64_t max_entries;
    uint64_t passes_ms; /* the time that passes after the segment was filled */
    bool fences;        /* what was being computed may not be stored once the call has had effect */
} scenario;

extern const scenario scenarios[];
extern const uint32_t scenario_count;

/* A new private segment, filled. Its descriptor is that of fc_info. */
stage scenario_stage(const scenario *wanted, uint64_t seed);
/* Another handle, on the segment behind a descriptor. */
stage scenario_attach(const scenario *of, const stage *like, int fd);
void stage_close(stage *s);

/* Stores a value that follows from the number and the generation. Returns the status. */
int32_t stage_set(const stage *s, uint32_t number, uint32_t len, uint32_t generation);
int32_t stage_delete(const stage *s, uint32_t number);
/* Asks for the lease of the subject, whose value it has not seen; stores one by the lease that the
 * segment was filled with. Each returns the status. */
int32_t stage_begin(const stage *s);
int32_t stage_land(const stage *s);

/* What a reader sees of a key; recency is left alone. */
typedef struct sight {
    int32_t length; /* or FC_MISS */
    uint32_t type;
    uint64_t digest;
    bool deadline;
} sight;
/* A single fc_get, which counts as a use. Returns its result. */
int32_t stage_read_subject(const stage *s);
sight stage_look(const stage *s, uint32_t number);
bool sight_same(const sight *a, const sight *b);

#endif
