/* SPDX-License-Identifier: MIT
 *
 * space_test.c: nothing live leaves while there is room, whatever the mix of deadlines (contract W3),
 * and the work of one set is bounded (W4). Each seed is a mix of its own: sizes, lifetimes, touches,
 * overwrites, deletions, shards, policies, and steps of the clock, which is moved by hand. A model
 * knows what has to be alive, and how many bytes that takes.
 *
 * Runs SEEDS seeds; with FASTCACHE_LONG=1 more. `space_test SEED` runs one.
 */
#include "harness.h"

#include <math.h>

#include "cache.h"
#include "clock.h"
#include "handle.h"
#include "log.h"
#include "os/os.h"

#define SEEDS 25u
#define SEEDS_LONG 5000u
#define KEYS_MAX 20000u
#define FOREVER UINT64_MAX
#define TICK_MS 1000u
#define CLOCK_BEGIN_MS 1000000000000u

typedef struct thing {
    uint64_t deadline; /* in ticks; FOREVER; 0: not there */
    uint32_t size;     /* bytes that it takes */
    uint32_t shard;
} thing;

typedef struct mix {
    uint64_t seed, random;
    uint32_t handle;
    cache *c;
    uint32_t shards;
    uint32_t keys;
    uint32_t size_kind, life_kind;
    uint32_t len_max;
    double life;               /* typical, in ticks */
    uint64_t now;              /* in ticks */
    uint32_t fill;             /* percent of the capacity that may be truly live */
    uint32_t touches, deletes; /* percent of the operations */
    uint32_t step_max;
    uint32_t sets;
    uint64_t live[2];                 /* bytes, by shard */
    uint64_t fullest;                 /* percent of a shard that was truly live */
    uint64_t looked_most, moved_most; /* beyond what a set may, in bytes */
    thing things[KEYS_MAX];
} mix;

static uint8_t value[1u << 20];

/* The clock stands at whole ticks, and deadlines lie between them: what the machine's own clock goes on
 * meanwhile does not matter. */
static void set_clock(const mix *m) {
    m->c->clock_base_ms = CLOCK_BEGIN_MS + m->now * TICK_MS - os_uptime_ms();
}

static double uniform(mix *m) { return (double)(random_next(&m->random) >> 11) * 0x1p-53; }
static double log_uniform(mix *m, double low, double high) {
    return low * exp(uniform(m) * log(high / low));
}

static uint32_t choose_len(mix *m) {
    switch (m->size_kind) {
    case 0:
        return 40;
    case 1:
        return random_below(&m->random, 600);
    case 2:
        return (uint32_t)log_uniform(m, 1, m->len_max);
    case 3:
        return random_below(&m->random, 100) ? random_below(&m->random, 200)
                                             : random_below(&m->random, m->len_max);
    default:
        return m->len_max / 2 + random_below(&m->random, m->len_max / 2);
    }
}

/* Ticks to live, 0 for ever. */
static uint64_t choose_ttl(mix *m) {
    switch (m->life_kind) {
    case 0:
        return 1 + (uint64_t)m->life;
    case 1:
        return 1 + (uint64_t)(uniform(m) * m->life);
    case 2:
        return 1 + (uint64_t)log_uniform(m, 1, m->life * 100);
    case 3:
        return random_below(&m->random, 2) ? 0 : 1 + (uint64_t)(uniform(m) * m->life);
    case 4: /* a few that live for long beside many that do not */
        return 1 + (uint64_t)(random_below(&m->random, 10) ? uniform(m) * m->life : m->life * 1000);
    default:
        return random_below(&m->random, 4) ? 0 : 1 + (uint64_t)log_uniform(m, 1, m->life + 1);
    }
}

static double ttl_ms(uint64_t ticks) { return ticks ? (double)(ticks * TICK_MS - TICK_MS / 2) : 0; }
static uint64_t deadline_of(const mix *m, uint64_t ticks) {
    return ticks ? m->now + ticks : FOREVER;
}

/* What has expired is not live any more. */
static void expire(mix *m) {
    for (uint32_t i = 0; i < m->keys; i++) {
        thing *t = &m->things[i];
        if (t->deadline == 0 || t->deadline > m->now) continue;
        m->live[t->shard] -= t->size;
        t->deadline = 0;
    }
}

static shard shard_for(const mix *m, uint64_t key) {
    return shard_of(m->c, fc_hash(&key, sizeof key, m->c->hash_seed));
}

static void note_work(mix *m, const shard *s, uint64_t looked, uint64_t moved, uint64_t size) {
    const uint64_t extent = s->geometry->extent_bytes;
    looked = s->header->work_looked - looked;
    moved = s->header->work_moved - moved;
    const uint64_t may_look = 32 * size + 2 * extent, may_move = 16 * size + extent;
    if (looked > may_look && looked - may_look > m->looked_most) m->looked_most = looked - may_look;
    if (moved > may_move && moved - may_move > m->moved_most) m->moved_most = moved - may_move;
}

static void set_thing(mix *m, uint64_t number) {
    thing *t = &m->things[number];
    const shard s = shard_for(m, number);
    const uint32_t len = choose_len(m);
    const uint64_t ticks = choose_ttl(m);
    const uint64_t size = log_size(&s, ticks > 0, sizeof number, len);
    const uint64_t old = t->deadline ? t->size : 0, live = m->live[t->shard];
    const uint64_t capacity = log_capacity(&s);
    if (live - old + size >= capacity / 100 * m->fill || live + size >= capacity / 100 * 94) return;
    const uint64_t looked = s.header->work_looked, moved = s.header->work_moved;
    CHECK_STATUS(FC_OK, fc_set(m->handle, &number, sizeof number, value, len, FC_TYPE_BYTES, FC_SET,
                               ttl_ms(ticks), 0));
    note_work(m, &s, looked, moved, size);
    m->live[t->shard] += size - old;
    const uint64_t percent = m->live[t->shard] * 100 / capacity;
    if (percent > m->fullest) m->fullest = percent;
    t->size = (uint32_t)size;
    t->deadline = deadline_of(m, ticks);
    m->sets++;
}

static void touch_thing(mix *m, uint64_t number) {
    thing *t = &m->things[number];
    const bool lasts = t->deadline == FOREVER;
    const uint64_t ticks = choose_ttl(m);
    if (lasts && ticks > 0) return; /* it would grow */
    CHECK_STATUS(t->deadline ? FC_OK : FC_MISS,
                 fc_touch(m->handle, &number, sizeof number, ttl_ms(ticks)));
    if (t->deadline) t->deadline = deadline_of(m, ticks);
}

static void delete_thing(mix *m, uint64_t number) {
    thing *t = &m->things[number];
    CHECK_STATUS(t->deadline ? FC_OK : FC_MISS, fc_delete(m->handle, &number, sizeof number));
    if (t->deadline) m->live[t->shard] -= t->size;
    t->deadline = 0;
}

static void all_live_are_there(const mix *m) {
    for (uint64_t i = 0; i < m->keys; i++)
        CHECK_STATUS(m->things[i].deadline ? FC_OK : FC_MISS, fc_has(m->handle, &i, sizeof i));
}

static void begin(mix *m, uint64_t seed) {
    *m = (mix){.seed = seed, .random = seed * 0x9e3779b97f4a7c15ull | 1};
    m->shards = random_below(&m->random, 3) ? 1 : 2;
    const uint64_t size = (uint64_t)m->shards << (random_below(&m->random, 4) ? 20 : 22);
    const uint32_t policy = random_below(&m->random, 3) ? FC_EVICTION_LRU : FC_EVICTION_S3FIFO;
    m->handle = private_open_with(policy, size, m->shards, 0);
    m->c = (cache *)handle_get(m->handle);
    m->c->hash_seed = seed;
    m->size_kind = random_below(&m->random, 5);
    m->life_kind = random_below(&m->random, 6);
    m->len_max = (uint32_t)log_uniform(m, 1000, (double)m->c->geometry.value_len_max / 2);
    m->life = log_uniform(m, 2, 1e5);
    m->fill = random_below(&m->random, 2) ? 84 + random_below(&m->random, 6)
                                          : 20 + random_below(&m->random, 65);
    m->touches = random_below(&m->random, 40);
    m->deletes = random_below(&m->random, 10);
    m->step_max = 1 + (uint32_t)log_uniform(m, 1, m->life / 20 + 2);
    /* Enough keys to fill it, and up to three times as many. */
    uint64_t bytes = 0;
    for (int i = 0; i < 100; i++) bytes += 40 + choose_len(m);
    const double keys = (double)size * 100 / (double)bytes * (0.8 + 2.2 * uniform(m));
    m->keys = keys > KEYS_MAX ? KEYS_MAX : 20 + (uint32_t)keys;
    for (uint64_t i = 0; i < m->keys; i++)
        m->things[i].shard = hash_shard(fc_hash(&i, sizeof i, seed), m->shards);
}

static void run(mix *m, uint64_t seed) {
    begin(m, seed);
    const uint32_t operations = m->size_kind == 0 ? 120000 : 40000;
    for (uint32_t i = 0; i < operations; i++) {
        const uint64_t number = random_below(&m->random, m->keys);
        const uint32_t what = random_below(&m->random, 100);
        if (i % 16 == 0) {
            m->now += random_below(&m->random, m->step_max + 1);
            if (random_below(&m->random, 200) == 0) m->now += (uint64_t)m->life; /* a jump */
            expire(m);
        }
        set_clock(m);
        if (what < m->touches)
            touch_thing(m, number);
        else if (what < m->touches + m->deletes)
            delete_thing(m, number);
        else
            set_thing(m, number);
    }
    set_clock(m);
    all_live_are_there(m);
    const fc_stats_fields stats = stats_of(m->handle);
    CHECK(stats.evictions == 0, "seed %" PRIu64 ": %" PRIu64 " evictions", seed, stats.evictions);
    verify(m->handle);
    CHECK_STATUS(FC_OK, fc_close(m->handle));
}

static uint64_t first_seed = 1, last_seed = SEEDS;

static void nothing_live_leaves_while_there_is_room(void) {
    static mix m;
    uint64_t looked = 0, moved = 0, sets = 0;
    uint32_t full = 0;
    for (uint64_t seed = first_seed; seed <= last_seed; seed++) {
        run(&m, seed);
        sets += m.sets;
        if (m.looked_most > looked) looked = m.looked_most;
        if (m.moved_most > moved) moved = m.moved_most;
        if (m.fullest >= 80) full++;
    }
    printf("# %" PRIu64 " seeds, %u of them to 80 %% and more, %" PRIu64 " sets\n",
           last_seed - first_seed + 1, full, sets);
    CHECK(full > 0 || first_seed == last_seed, "no mix came near the limit");
    CHECK(looked == 0 && moved == 0,
          "a set looked at %" PRIu64 " bytes more than it may, and moved %" PRIu64, looked, moved);
}

int main(int argc, char **argv) {
    const char *is_long = getenv("FASTCACHE_LONG");
    if (is_long && *is_long == '1') last_seed = SEEDS_LONG;
    if (argc > 1) first_seed = last_seed = strtoull(argv[1], NULL, 10);
    TEST(nothing_live_leaves_while_there_is_room);
    return TESTS_DONE();
}
