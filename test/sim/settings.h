/* SPDX-License-Identifier: MIT
 *
 * settings.h owns what one run is made of: all of it follows from a seed. What shrinks is left out
 * of it afterwards (script.h).
 */
#ifndef SIM_SETTINGS_H
#define SIM_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

/* What the keys and values are like. */
enum crowd {
    CROWD_FEW,    /* a handful of keys, anything at all */
    CROWD_BUCKET, /* many keys whose two buckets are the same: the stash, and full buckets */
    CROWD_WIDE,   /* so many others that the index takes a second extent, and gives it back */
};

typedef struct settings {
    uint64_t seed;
    uint32_t processes;  /* in all */
    uint32_t alive;      /* at once */
    uint32_t operations; /* of each */
    uint32_t shards;
    uint32_t eviction; /* fc_eviction */
    uint64_t size_bytes;
    uint64_t max_entries;
    uint32_t lock_wait_ms;
    enum crowd crowd;
    uint32_t keys;    /* that are followed */
    uint32_t fillers; /* further keys, stored all at once now and then, as long as told: */
    uint32_t filler_len;
    uint32_t value_max; /* bytes */
    bool roomy;         /* nothing has to be evicted, so nothing may be */
    bool littered;      /* and yet each extent is full, with something live in it */
    bool destroys;      /* the segment is removed and made anew now and then */
    uint32_t step_ns;   /* time that a step takes */
    uint32_t ttl_ms_max;
    /* One in so many steps, 0 for never: */
    uint32_t switch_gap, kill_gap, stop_gap, leap_gap, wake_gap;
    uint32_t no_memory_gap; /* one in so many reservations and allocations */
    uint32_t unlock_us_max; /* how long the locks of the dead stay */
} settings;

settings settings_of(uint64_t seed);
void settings_print(const settings *s);

#endif
