/* SPDX-License-Identifier: MIT
 *
 * giveback_test.c: the index gives its memory back (contract W5). After clear(), or when entries have
 * left, a segment holds as much as a fresh one; the index grows by load, not because one word found
 * no place; and an iteration sees each entry once, also while the index shrinks under it.
 */
#include "harness.h"

#include "cache.h"
#include "handle.h"
#include "index.h"
#include "log.h"

#define SIZE (4u << 20)

static const uint32_t policies[] = {FC_EVICTION_LRU, FC_EVICTION_S3FIFO};

static void set_tiny(uint32_t handle, uint64_t number) {
    CHECK_STATUS(FC_OK,
                 fc_set(handle, &number, sizeof number, NULL, 0, FC_TYPE_TRUE, FC_SET, 0, 0));
}

static void drop(uint32_t handle, uint64_t number) {
    const int32_t status = fc_delete(handle, &number, sizeof number);
    CHECK(status == FC_OK || status == FC_MISS, "status %d", status);
}

static uint32_t open_seeded(uint32_t policy, uint32_t shards, uint64_t seed) {
    const uint32_t handle = private_open_with(policy, (uint64_t)shards * SIZE, shards, 0);
    ((cache *)handle_get(handle))->hash_seed = seed;
    return handle;
}

/* How many values of so many bytes are there before the first one leaves. */
static uint32_t held(uint32_t handle, uint32_t len) {
    static uint8_t value[100000];
    const uint64_t before = stats_of(handle).evictions;
    for (uint64_t i = 0;; i++) {
        const uint64_t key = i | 1ull << 40;
        CHECK_STATUS(FC_OK,
                     fc_set(handle, &key, sizeof key, value, len, FC_TYPE_BYTES, FC_SET, 0, 0));
        if (stats_of(handle).evictions != before) return (uint32_t)i;
    }
}

static void a_cleared_segment_is_as_good_as_a_fresh_one(void) {
    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t fresh = open_seeded(policies[i], 1, 7),
                       used = open_seeded(policies[i], 1, 7);
        for (uint64_t number = 0; number < 300000; number++) set_tiny(used, number);
        CHECK(stats_of(used).capacity_bytes < stats_of(fresh).capacity_bytes,
              "the index took nothing");
        CHECK_STATUS(FC_OK, fc_clear(used));
        verify(used);
        CHECK(stats_of(used).capacity_bytes == stats_of(fresh).capacity_bytes,
              "%" PRIu64 " bytes of %" PRIu64, stats_of(used).capacity_bytes,
              stats_of(fresh).capacity_bytes);
        const uint32_t holds = held(used, 50000), held_fresh = held(fresh, 50000);
        CHECK(holds >= held_fresh, "%u values, fresh %u", holds, held_fresh);
        CHECK_STATUS(FC_OK, fc_close(used));
        CHECK_STATUS(FC_OK, fc_close(fresh));
    }
}

/* Deleted one by one, or expired, or pushed out by a few large values. */
static void a_segment_whose_entries_have_left_is_as_good_as_a_fresh_one(void) {
    for (uint64_t seed = 1; seed <= 6; seed++) {
        const uint32_t handle =
            open_seeded(policies[seed % 2], 1 + (uint32_t)(seed % 3 == 0), seed);
        const uint64_t fresh = stats_of(handle).capacity_bytes;
        uint64_t random = seed;
        const uint32_t keys = 1000 + random_below(&random, 120000);
        for (uint64_t number = 0; number < keys; number++) set_tiny(handle, number);
        if (seed % 3 == 1) {
            static uint8_t value[100000];
            for (uint64_t number = 0; number < 400; number++)
                CHECK_STATUS(FC_OK, fc_set(handle, &number, sizeof number, value, sizeof value,
                                           FC_TYPE_BYTES, FC_SET, 0, 0));
        } else {
            for (uint64_t number = 0; number < keys; number++) drop(handle, number);
            CHECK(stats_of(handle).entries == 0, "not all left");
        }
        verify(handle);
        const uint64_t now = stats_of(handle).capacity_bytes;
        CHECK(now * 100 >= fresh * 99, "seed %" PRIu64 ": %" PRIu64 " bytes of %" PRIu64, seed, now,
              fresh);
        CHECK_STATUS(FC_OK, fc_close(handle));
    }
}

static void the_index_grows_by_load(void) {
    for (uint64_t seed = 1; seed <= 4; seed++) {
        const uint32_t handle = open_seeded(FC_EVICTION_LRU, 8, seed);
        const cache *c = handle_get(handle);
        for (uint64_t number = 0; number < 200000; number++) set_tiny(handle, number);
        for (uint32_t i = 0; i < c->geometry.shards; i++) {
            const shard s = shard_at(c, i);
            const uint64_t words = (uint64_t)index_size(&s) * BUCKET_WORDS;
            CHECK(words * 45 / 100 < s.header->entries,
                  "seed %" PRIu64 ": shard %u has %" PRIu64 " words for %" PRIu64 " entries", seed,
                  i, words, s.header->entries);
        }
        verify(handle);
        CHECK_STATUS(FC_OK, fc_close(handle));
    }
}

/* Every tenth entry stays; the others leave, or others come, between the pages of an iteration. */
static void each_entry_is_seen_once_while_the_index_shrinks_and_grows(void) {
    enum { KEYS = 60000 };
    static uint8_t seen[KEYS], page[FC_ITERATE_CAPACITY_MIN];
    for (uint64_t seed = 1; seed <= 8; seed++) {
        const uint32_t handle = open_seeded(policies[seed % 2], 1, seed);
        uint64_t random = seed, next = 0;
        const bool grows = seed % 3 == 0;
        for (uint64_t number = 0; number < KEYS; number++)
            if (!grows || number % 10 == 0) set_tiny(handle, number);
        memset(seen, 0, sizeof seen);
        fc_cursor cursor = {{0}};
        uint32_t used;
        int32_t keys;
        while ((keys = fc_iterate(handle, &cursor, page, sizeof page, &used)) >= 0) {
            for (uint32_t at = 0; at < used; at += 12) {
                uint64_t number;
                memcpy(&number, page + at + 4, sizeof number);
                CHECK(number < KEYS, "a key of nobody");
                seen[number]++;
            }
            for (uint32_t i = 0; i < 20000 && next < KEYS; i++, next++) {
                if (next % 10 == 0) continue;
                if (grows)
                    set_tiny(handle, next);
                else if (random_below(&random, 50))
                    drop(handle, next);
            }
        }
        CHECK_STATUS(FC_MISS, keys);
        for (uint64_t number = 0; number < KEYS; number++)
            CHECK(number % 10 ? seen[number] <= 1 : seen[number] == 1,
                  "seed %" PRIu64 ": number %" PRIu64 " was seen %u times", seed, number,
                  seen[number]);
        verify(handle);
        CHECK_STATUS(FC_OK, fc_close(handle));
    }
}

int main(void) {
    TEST(a_cleared_segment_is_as_good_as_a_fresh_one);
    TEST(a_segment_whose_entries_have_left_is_as_good_as_a_fresh_one);
    TEST(the_index_grows_by_load);
    TEST(each_entry_is_seen_once_while_the_index_shrinks_and_grows);
    return TESTS_DONE();
}
