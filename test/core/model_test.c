/* SPDX-License-Identifier: MIT
 *
 * model_test.c: random operations on segments of many shapes, beside a plain array that knows
 * what must be there. While live bytes stay under the limit of contract W3 nothing may be missing.
 */
#include "harness.h"

#include "cache.h"
#include "handle.h"

#define KEYS 4000u
#define VALUE_MAX 200000u
/* The model's time runs in units so long that the machine's own time does not matter. */
#define TICK_MS 10000000ull

typedef struct expected {
    bool present;
    uint32_t len;
    uint64_t seed;
    double version;
    uint64_t deadline; /* in ticks of the model; 0: none */
} expected;

typedef struct model {
    uint32_t handle;
    uint32_t keys, value_max;
    bool full; /* entries may have been evicted */
    uint64_t random;
    uint64_t clock;
    expected entries[KEYS];
} model;

static uint8_t wanted[VALUE_MAX], got[VALUE_MAX];

static uint32_t key_of(uint32_t number, char *key) {
    /* Lengths vary with the number: 5 to 1024 bytes. */
    uint32_t pad = number % 97 == 0 ? 1000 : number % 13;
    int len = snprintf(key, 1100, "k%04u%0*d", number, (int)pad, 0);
    return (uint32_t)len > FC_KEY_LEN_MAX ? FC_KEY_LEN_MAX : (uint32_t)len;
}

static void expire_model(model *m) {
    for (uint32_t i = 0; i < m->keys; i++)
        if (m->entries[i].deadline && m->entries[i].deadline <= m->clock)
            m->entries[i].present = false;
}

static void check_key(model *m, uint32_t number) {
    char key[1100];
    uint32_t key_len = key_of(number, key);
    expected *e = &m->entries[number];
    if (e->deadline && e->deadline <= m->clock) e->present = false;
    fc_item item;
    int32_t len =
        fc_get(m->handle, key, key_len, got, sizeof got, random_below(&m->random, 2), &item);
    if (len == FC_MISS && m->full) e->present = false;
    if (!e->present) {
        CHECK(len == FC_MISS, "key %u is %d long but should be absent", number, len);
        return;
    }
    CHECK(len == (int32_t)e->len, "key %u is %d long, should be %u", number, len, e->len);
    fill_value(wanted, e->len, e->seed);
    CHECK(memcmp(wanted, got, e->len) == 0, "key %u has another value", number);
    e->version = item.version;
}

static void set_key(model *m, uint32_t number) {
    char key[1100];
    uint32_t key_len = key_of(number, key);
    expected *e = &m->entries[number];
    check_key(m, number);
    uint32_t len = random_below(&m->random, 20) == 0 ? random_below(&m->random, m->value_max)
                                                     : random_below(&m->random, 300);
    uint64_t seed = random_next(&m->random);
    uint32_t mode = random_below(&m->random, 8);
    if (mode > FC_SET_IF_VERSION) mode = FC_SET;
    uint32_t ttl = random_below(&m->random, 4) == 0 ? 1 + random_below(&m->random, 5000) : 0;
    bool right_version = random_below(&m->random, 2) == 0;
    double version = right_version ? e->version : e->version + 1000000;
    bool stores = mode == FC_SET || (mode == FC_SET_IF_ABSENT && !e->present) ||
                  (mode == FC_SET_IF_PRESENT && e->present) ||
                  (mode == FC_SET_IF_VERSION && e->present && right_version);
    fill_value(wanted, len, seed);
    CHECK_STATUS(stores ? FC_OK : FC_MISS,
                 fc_set(m->handle, key, key_len, wanted, len, FC_TYPE_BYTES, mode,
                        (double)ttl * TICK_MS, version));
    if (stores) *e = (expected){true, len, seed, 0, ttl ? m->clock + ttl : 0};
    check_key(m, number);
}

static void delete_key(model *m, uint32_t number) {
    char key[1100];
    uint32_t key_len = key_of(number, key);
    check_key(m, number);
    CHECK_STATUS(m->entries[number].present ? FC_OK : FC_MISS, fc_delete(m->handle, key, key_len));
    m->entries[number].present = false;
    check_key(m, number);
}

static void touch_key(model *m, uint32_t number) {
    char key[1100];
    uint32_t key_len = key_of(number, key);
    check_key(m, number);
    expected *e = &m->entries[number];
    uint32_t ttl = random_below(&m->random, 2) ? 1 + random_below(&m->random, 5000) : 0;
    CHECK_STATUS(e->present ? FC_OK : FC_MISS,
                 fc_touch(m->handle, key, key_len, (double)ttl * TICK_MS));
    e->deadline = ttl ? m->clock + ttl : 0;
}

static uint64_t present(const model *m) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < m->keys; i++) count += m->entries[i].present;
    return count;
}

static void iterate_all(model *m) {
    static uint8_t page[FC_ITERATE_CAPACITY_MIN];
    static bool seen[KEYS];
    memset(seen, 0, sizeof seen);
    fc_cursor cursor = {0};
    uint64_t count = 0;
    uint32_t used;
    int32_t keys;
    while ((keys = fc_iterate(m->handle, &cursor, page, sizeof page, &used)) >= 0) {
        const uint8_t *at = page;
        for (int32_t i = 0; i < keys; i++) {
            uint32_t len, number;
            memcpy(&len, at, 4);
            CHECK(sscanf((const char *)at + 4, "k%4u", &number) == 1, "a strange key");
            CHECK(!seen[number], "key %u is seen twice", number);
            CHECK(m->entries[number].present, "key %u should be absent", number);
            seen[number] = true;
            at += (4 + len + 3) & ~3u;
            count++;
        }
        CHECK((uint32_t)(at - page) == used, "used %u", used);
    }
    CHECK_STATUS(FC_MISS, keys);
    CHECK(count == present(m), "%" PRIu64 " keys seen, %" PRIu64 " present", count, present(m));
}

static void run_with(uint32_t eviction, uint64_t size, uint32_t shards, uint64_t max_entries,
                     uint32_t keys, uint32_t value_max, uint32_t operations, bool full,
                     uint64_t seed) {
    static model m;
    memset(&m, 0, sizeof m);
    m.handle = private_open_with(eviction, size, shards, max_entries);
    m.keys = keys;
    m.value_max = value_max;
    m.full = full;
    m.random = seed;
    cache *c = (cache *)handle_get(m.handle);
    for (uint32_t i = 0; i < operations; i++) {
        uint32_t number = random_below(&m.random, keys);
        switch (random_below(&m.random, 8)) {
        case 0:
            delete_key(&m, number);
            break;
        case 1:
            touch_key(&m, number);
            break;
        case 2:
        case 3:
            check_key(&m, number);
            break;
        default:
            set_key(&m, number);
        }
        if (random_below(&m.random, 50) == 0) {
            uint64_t ticks = random_below(&m.random, 400);
            c->clock_base_ms += ticks * TICK_MS;
            m.clock += ticks;
        }
        if (i % 2000 == 0) verify(m.handle);
        if (!full && i % 10000 == 9999) {
            expire_model(&m);
            iterate_all(&m);
        }
    }
    verify(m.handle);
    for (uint32_t i = 0; i < keys; i++) check_key(&m, i);
    if (!full) CHECK(stats_of(m.handle).evictions == 0, "evicted with room to spare");
    CHECK_STATUS(FC_OK, fc_clear(m.handle));
    verify(m.handle);
    CHECK(stats_of(m.handle).entries == 0, "not empty after clear");
    CHECK_STATUS(FC_OK, fc_close(m.handle));
}

static void run(uint64_t size, uint32_t shards, uint64_t max_entries, uint32_t keys,
                uint32_t value_max, uint32_t operations, bool full, uint64_t seed) {
    run_with(FC_EVICTION_LRU, size, shards, max_entries, keys, value_max, operations, full, seed);
    run_with(FC_EVICTION_S3FIFO, size, shards, max_entries, keys, value_max, operations, full,
             seed);
}

static void values_of_all_sizes_in_one_shard(void) {
    run(4 << 20, 1, 0, 400, 20000, 60000, false, 1);
}
static void values_larger_than_extents(void) { run(16 << 20, 1, 0, 300, 200000, 40000, false, 2); }
static void many_keys_in_many_shards(void) { run(64 << 20, 8, 0, 4000, 2000, 100000, false, 3); }
static void more_than_fits(void) { run(1 << 20, 1, 0, 4000, 20000, 60000, true, 4); }
static void more_large_values_than_fit(void) { run(8 << 20, 2, 0, 2000, 200000, 40000, true, 5); }
static void more_entries_than_allowed(void) { run(8 << 20, 1, 100, 500, 3000, 60000, true, 6); }

int main(void) {
    TEST(values_of_all_sizes_in_one_shard);
    TEST(values_larger_than_extents);
    TEST(many_keys_in_many_shards);
    TEST(more_than_fits);
    TEST(more_large_values_than_fit);
    TEST(more_entries_than_allowed);
    return TESTS_DONE();
}
