/* SPDX-License-Identifier: MIT
 *
 * moving_test.c: what is there throughout is found by every lookup, and met exactly once by every
 * iteration, while another thread makes the index grow and shrink, fills and empties its stash, and
 * has records moved. Lookups that something moved behind look again.
 */
#include "harness.h"

#include <pthread.h>

#include "atomic.h"

#define FIXED 500u
#define PASSING 6000u
#define ROUNDS 12
#define ROUNDS_LONG 1000

static uint32_t handle;
static uint32_t writing;

static int32_t set_number(uint64_t number, uint32_t len) {
    static const uint8_t value[400];
    return fc_set(handle, &number, sizeof number, value, len, FC_TYPE_BYTES, FC_SET, 0, 0);
}

static void *come_and_go(void *context) {
    const int rounds = *(int *)context;
    uint64_t random = 5;
    for (int round = 0; round < rounds; round++) {
        for (uint64_t i = 0; i < PASSING; i++)
            CHECK_STATUS(FC_OK, set_number(1ull << 40 | i, random_below(&random, 300)));
        for (uint64_t i = 0; i < PASSING; i++) {
            const uint64_t number = 1ull << 40 | i;
            CHECK_STATUS(FC_OK, fc_delete(handle, &number, sizeof number));
        }
    }
    store_u32_release(&writing, 0);
    return NULL;
}

static void look_up_all(void) {
    uint8_t value[400];
    for (uint64_t number = 0; number < FIXED; number++) {
        const int32_t len = fc_get(handle, &number, sizeof number, value, sizeof value, 0, NULL);
        CHECK(len == (int32_t)(number % 300), "%" PRIu64 ": %d", number, len);
        CHECK_STATUS(FC_OK, fc_has(handle, &number, sizeof number));
    }
}

static void meet_all_once(void) {
    static uint8_t keys[FC_ITERATE_CAPACITY_MIN];
    uint8_t met[FIXED] = {0};
    fc_cursor cursor = {{0}};
    for (;;) {
        uint32_t used;
        const int32_t count = fc_iterate(handle, &cursor, keys, sizeof keys, &used);
        if (count == FC_MISS) break;
        CHECK(count >= 0, "status %d", count);
        for (uint32_t at = 0; at < used; at += 12) {
            uint64_t number;
            memcpy(&number, keys + at + 4, sizeof number);
            if (number < FIXED) met[number]++;
        }
    }
    for (uint32_t i = 0; i < FIXED; i++) CHECK(met[i] == 1, "%u was met %u times", i, met[i]);
}

static void beside_a_writer(uint32_t policy) {
    const char *is_long = getenv("FASTCACHE_LONG");
    int rounds = is_long && *is_long == '1' ? ROUNDS_LONG : ROUNDS;
    handle = private_open_with(policy, 4 << 20, 1, 0);
    for (uint64_t number = 0; number < FIXED; number++)
        CHECK_STATUS(FC_OK, set_number(number, number % 300));
    pthread_t writer;
    writing = 1;
    CHECK(pthread_create(&writer, NULL, come_and_go, &rounds) == 0, "no thread");
    while (load_u32_acquire(&writing)) {
        look_up_all();
        meet_all_once();
    }
    CHECK(pthread_join(writer, NULL) == 0, "join");
    CHECK(stats_of(handle).evictions == 0, "something was evicted");
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void what_is_there_throughout_is_found_and_met_once(void) {
    beside_a_writer(FC_EVICTION_LRU);
    beside_a_writer(FC_EVICTION_S3FIFO);
}

int main(void) {
    TEST(what_is_there_throughout_is_found_and_met_once);
    return TESTS_DONE();
}
