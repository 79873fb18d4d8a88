/* SPDX-License-Identifier: MIT
 *
 * settings.c: see settings.h. Small numbers everywhere: what is rare with many keys and much memory
 * happens all the time with few.
 */
#include "settings.h"

#include <inttypes.h>
#include <stdio.h>

#include "fastcache.h"
#include "values.h"
#include "world.h"

/* Operations of a run, all processes taken together. */
#define OPERATIONS 700u

static uint32_t one_of(uint64_t *random, const uint32_t *choices, uint32_t count) {
    return choices[random_below(random, count)];
}
#define ONE_OF(random, ...)                         \
    one_of(random, (const uint32_t[]){__VA_ARGS__}, \
           sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* How many bytes the keys may take at most, headers and rounding included, for nothing to be
 * evicted: half of a shard, since a compaction needs room as well. */
static void make_roomy(settings *s) {
    const uint64_t room = (s->size_bytes / s->shards) * 2 / 5;
    if ((uint64_t)s->value_max * s->keys > room) s->value_max = (uint32_t)(room / s->keys);
    s->max_entries = 0;
}

settings settings_of(uint64_t seed) {
    uint64_t r = random_of(seed, 1, 1);
    settings s = {.seed = seed};
    s.alive = ONE_OF(&r, 2, 3, 4, 6, 8, 12, 20, 32, 40);
    s.crowd = (enum crowd)ONE_OF(&r, CROWD_FEW, CROWD_FEW, CROWD_BUCKET, CROWD_WIDE);
    s.eviction = ONE_OF(&r, FC_EVICTION_LRU, FC_EVICTION_S3FIFO);
    s.shards = ONE_OF(&r, 1, 1, 2);
    s.size_bytes = s.shards == 1 ? 1u << 20 : 5u << 18;
    s.roomy = random_below(&r, 2);
    s.value_max = ONE_OF(&r, 100, 3000, 9000, 20000, 60000);
    s.keys = ONE_OF(&r, 1, 2, 4, 8, 16, 60, 100, 100);
    if (s.crowd == CROWD_BUCKET) s.keys = ONE_OF(&r, 20, 40, 70);
    if (s.crowd == CROWD_WIDE) {
        s.keys = ONE_OF(&r, 1, 2, 3, 8);
        s.value_max = ONE_OF(&r, 20000, 60000);
    }
    s.filler_len = VALUE_LEN_MIN;
    if (!s.roomy && random_below(&r, 2)) /* full from the beginning */
        s.filler_len = (uint32_t)(s.size_bytes * 17 / 20 / FILLERS_MAX);
    if (s.crowd == CROWD_WIDE || s.filler_len > VALUE_LEN_MIN) s.fillers = FILLERS_MAX;
    s.lock_wait_ms = ONE_OF(&r, 1, 5, 20, 1000);
    s.step_ns = ONE_OF(&r, 100, 500, 2000);
    s.ttl_ms_max = ONE_OF(&r, 0, 0, 5, 200, 5000);
    s.destroys = random_below(&r, 4) == 0;
    s.switch_gap = ONE_OF(&r, 2, 5, 15, 50, 200);
    s.kill_gap = ONE_OF(&r, 0, 300, 1000, 3000, 10000);
    s.stop_gap = ONE_OF(&r, 0, 300, 1000, 5000);
    s.leap_gap = ONE_OF(&r, 0, 2000, 20000);
    s.wake_gap = ONE_OF(&r, 0, 1000);
    s.no_memory_gap = ONE_OF(&r, 0, 0, 0, 20);
    s.unlock_us_max = ONE_OF(&r, 0, 500, 5000, 40000);
    s.operations = ONE_OF(&r, 5, 20, 60);
    s.processes = OPERATIONS / s.operations;
    if (s.alive > s.processes) s.alive = s.processes;
    if (s.kill_gap) s.processes *= 2;
    if (!s.roomy && random_below(&r, 8) == 0) s.max_entries = s.keys / 2 + 1;
    if (s.crowd == CROWD_WIDE) {
        s.max_entries = 0;
        s.stop_gap = 300;
    }
    if (s.roomy) make_roomy(&s);
    s.littered = s.roomy && s.crowd == CROWD_FEW && random_below(&r, 2);
    if (s.littered) s.fillers = FILLERS_MAX;
    if (s.value_max < 40) s.value_max = 40;
    return s;
}

void settings_print(const settings *s) {
    static const char *const crowds[] = {"few keys", "keys of one pair of buckets", "a wide index"};
    printf("# seed %" PRIu64
           ": %u processes, %u at once, %u operations each; %s, %u keys, values up "
           "to %u bytes, %s, %s, %u shards, lock wait %u ms, a step takes %u ns\n",
           s->seed, s->processes, s->alive, s->operations, crowds[s->crowd], s->keys, s->value_max,
           s->eviction == FC_EVICTION_LRU ? "lru" : "s3-fifo",
           s->littered ? "roomy but littered"
           : s->roomy  ? "roomy"
                       : "tight",
           s->shards, s->lock_wait_ms, s->step_ns);
    printf("# one in so many steps: switch %u, kill %u, stop %u, leap %u, wake %u\n", s->switch_gap,
           s->kill_gap, s->stop_gap, s->leap_gap, s->wake_gap);
}
