/* SPDX-License-Identifier: MIT
 *
 * room_test.c: what stays and what leaves. Nothing live leaves a shard that has room; past that,
 * what is read stays, and no set that fits the limits ever fails.
 *
 * With FASTCACHE_LONG=1 at the size of real caches: 1 GiB with 2^20 keys, 200 million sets.
 */
#include "harness.h"

#include "cache.h"
#include "handle.h"

static bool is_long(void) {
    const char *set = getenv("FASTCACHE_LONG");
    return set && *set == '1';
}

static uint8_t buffer[8 << 20], wanted[8 << 20];

static void set_number(uint32_t handle, uint64_t number, uint32_t len, double ttl_ms) {
    fill_value(buffer, len, number * 31 + len);
    CHECK_STATUS(FC_OK, fc_set(handle, &number, 8, buffer, len, FC_TYPE_BYTES, FC_SET, ttl_ms, 0));
}

static void want_number(uint64_t number, uint32_t len) {
    fill_value(wanted, len, number * 31 + len);
}
/* Has it the value that was last wanted? */
static void check_wanted(uint32_t handle, uint64_t number, uint32_t len) {
    int32_t got = fc_get(handle, &number, 8, buffer, sizeof buffer, 0, NULL);
    CHECK(got == (int32_t)len, "number %" PRIu64 ": %d bytes, not %u", number, got, len);
    CHECK(memcmp(wanted, buffer, len) == 0, "number %" PRIu64 " has another value", number);
}
static void check_number(uint32_t handle, uint64_t number, uint32_t len) {
    want_number(number, len);
    check_wanted(handle, number, len);
}

static bool has_number(uint32_t handle, uint64_t number) {
    return fc_get(handle, &number, 8, buffer, sizeof buffer, 0, NULL) >= 0;
}

/* As many keys as the upstream benchmark, per byte of segment. */
static void every_key_of_a_large_working_set_survives_being_overwritten(void) {
    const uint32_t keys = is_long() ? 1u << 20 : 1u << 16;
    uint32_t *lens = malloc(keys * sizeof *lens);
    uint64_t random = 7;
    uint32_t handle = private_open(keys * 1024ull, 0, 0);
    for (int round = 0; round <= 10; round++) {
        for (uint32_t i = 0; i < keys; i++) {
            /* After the first round in random order, so that extents do not die in one piece. */
            uint32_t number = round ? random_below(&random, keys) : i;
            lens[number] = random_below(&random, 1024);
            set_number(handle, number, lens[number], 0);
        }
        for (uint32_t i = 0; i < keys; i++) check_number(handle, i, lens[i]);
    }
    CHECK(stats_of(handle).entries == keys, "%" PRIu64 " entries", stats_of(handle).entries);
    CHECK(stats_of(handle).evictions == 0, "%" PRIu64 " evictions", stats_of(handle).evictions);
    verify(handle);
    fc_close(handle);
    free(lens);
}

/* Fills one shard to about 90 % live and keeps overwriting and deleting there. Whenever something
 * was evicted, live bytes must have been at the limit: at most the largest entry under it. */
static void churn_at_the_limit(uint64_t size, uint32_t len_min, uint32_t len_max, uint64_t seed) {
    uint32_t handle = private_open(size, 1, 0);
    uint64_t random = seed, evictions = 0;
    const uint64_t largest = len_max + 128;
    uint32_t keys = 0;
    for (fc_stats_fields s = stats_of(handle); s.bytes_used + largest < s.capacity_bytes * 9 / 10;
         s = stats_of(handle))
        set_number(handle, keys++, len_min + random_below(&random, len_max - len_min), 0);
    for (uint32_t i = 0; i < 4 * keys + 2000; i++) {
        uint64_t number = random_below(&random, keys);
        if (random_below(&random, 4) == 0) fc_delete(handle, &number, 8);
        set_number(handle, number, len_min + random_below(&random, len_max - len_min), 0);
        fc_stats_fields s = stats_of(handle);
        CHECK(s.evictions == evictions || s.bytes_used + 2 * largest > s.capacity_bytes * 9 / 10,
              "evicted at %" PRIu64 " live bytes of %" PRIu64 ", values of %u to %u bytes",
              s.bytes_used, s.capacity_bytes, len_min, len_max);
        evictions = s.evictions;
    }
    verify(handle);
    fc_close(handle);
}

static void nothing_live_leaves_under_ninety_percent(void) {
    churn_at_the_limit(1 << 20, 0, 100, 1);
    churn_at_the_limit(1 << 20, 0, 3000, 2);
    churn_at_the_limit(1 << 20, 2000, 2600, 3);
    churn_at_the_limit(1 << 20, 4000, 5000, 4);
    churn_at_the_limit(1 << 20, 10000, 20000, 8);
    churn_at_the_limit(4 << 20, 10000, 60000, 5);
    churn_at_the_limit(16 << 20, 500, 700, 6);
    churn_at_the_limit(16 << 20, 0, 200000, 7);
}

static void expired_entries_leave_before_live_ones(void) {
    uint32_t handle = private_open(4 << 20, 1, 0);
    cache *c = (cache *)handle_get(handle);
    const uint32_t each = 1500;
    for (uint32_t i = 0; i < each; i++) {
        set_number(handle, 2 * i, 1000, 0);
        set_number(handle, 2 * i + 1, 1000, 60000);
    }
    CHECK(stats_of(handle).entries == 2 * each, "not all fit");
    c->clock_base_ms += 60001;
    for (uint32_t i = 0; i < each; i++) set_number(handle, 100000 + i, 1000, 0);
    for (uint32_t i = 0; i < each; i++) {
        check_number(handle, 2 * i, 1000);
        check_number(handle, 100000 + i, 1000);
        CHECK(!has_number(handle, 2 * i + 1), "an expired entry is read");
    }
    fc_stats_fields s = stats_of(handle);
    CHECK(s.evictions == 0, "%" PRIu64 " evictions", s.evictions);
    CHECK(s.entries == 2 * each, "%" PRIu64 " entries", s.entries);
    verify(handle);
    fc_close(handle);
}

static void expired_entries_are_reclaimed_without_being_read(void) {
    uint32_t handle = private_open(4 << 20, 1, 0);
    cache *c = (cache *)handle_get(handle);
    for (uint32_t i = 0; i < 1000; i++) set_number(handle, i, 100, 1 + i);
    c->clock_base_ms += 100000;
    fc_stats_fields s = stats_of(handle);
    CHECK(s.entries == 0 && s.bytes_used == 0, "%" PRIu64 " entries, %" PRIu64 " bytes", s.entries,
          s.bytes_used);
    CHECK(s.expirations == 1000, "%" PRIu64 " expirations", s.expirations);
    verify(handle);
    fc_close(handle);
}

static void what_is_read_regularly_stays(uint32_t eviction) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_PRIVATE,
                          .create = FC_CREATE_OR_ATTACH,
                          .eviction = eviction,
                          .size_bytes = 8 << 20};
    fc_report report;
    CHECK_STATUS(FC_OK, fc_open(&options, NULL, 0, &report));
    uint32_t handle = report.handle;
    const uint32_t hot = 200;
    for (uint32_t i = 0; i < hot; i++) set_number(handle, i, 1000, 0);
    for (uint32_t i = 0; i < 60000; i++) {
        check_number(handle, i % hot, 1000);
        set_number(handle, 1000 + i, 1000, 0);
    }
    for (uint32_t i = 0; i < hot; i++) check_number(handle, i, 1000);
    CHECK(stats_of(handle).evictions > 40000, "hardly anything was evicted");
    verify(handle);
    fc_close(handle);
}
/* Its parts are met one by one, and all of them move. */
static void a_large_value_that_is_read_regularly_stays(void) {
    uint32_t handle = private_open(16 << 20, 1, 0);
    const uint32_t large = 1 << 20;
    uint64_t random = 5;
    set_number(handle, 0, large, 0);
    want_number(0, large);
    for (uint64_t i = 1; i < 20000; i++) {
        check_wanted(handle, 0, large);
        set_number(handle, i, 5000 + random_below(&random, 5000), 0);
        if (is_long()) continue;
        if (i == 8000) break; /* about four turnovers */
    }
    verify(handle);
    fc_close(handle);
}

static void lru_keeps_what_is_read_regularly(void) {
    what_is_read_regularly_stays(FC_EVICTION_LRU);
}
static void s3fifo_keeps_what_is_read_regularly(void) {
    what_is_read_regularly_stays(FC_EVICTION_S3FIFO);
}

static void least_recently_used_entries_leave_first(void) {
    uint32_t handle = private_open(8 << 20, 1, 1000);
    for (uint32_t i = 0; i < 1000; i++) set_number(handle, i, 10, 0);
    for (uint32_t i = 0; i < 300; i++) check_number(handle, i, 10);
    for (uint32_t i = 0; i < 1500; i++) {
        for (uint32_t j = 0; j < 300; j += 50) check_number(handle, (i + j) % 300, 10);
        set_number(handle, 10000 + i, 10, 0);
    }
    for (uint32_t i = 0; i < 300; i++) check_number(handle, i, 10);
    for (uint32_t i = 300; i < 1000; i++) CHECK(!has_number(handle, i), "%u was never read", i);
    CHECK(stats_of(handle).entries == 1000, "%" PRIu64 " entries", stats_of(handle).entries);
    verify(handle);
    fc_close(handle);
}

static void sets_of_mixed_sizes_never_fail_and_leave_consistent_counters(void) {
    const uint64_t sets = is_long() ? 200000000 : 400000;
    uint32_t handle = private_open(is_long() ? 64 << 20 : 8 << 20, 0, 0);
    uint64_t random = 11, stored = 0;
    static uint8_t value[200000];
    for (uint64_t i = 0; i < sets; i++) {
        uint64_t number = random_next(&random) % 1000000;
        uint32_t kind = random_below(&random, 10000);
        uint32_t len = kind == 0    ? random_below(&random, sizeof value)
                       : kind < 100 ? random_below(&random, 10000)
                                    : random_below(&random, 600);
        double ttl_ms = kind % 7 == 0 ? 1 + random_below(&random, 1000) : 0;
        CHECK_STATUS(FC_OK,
                     fc_set(handle, &number, 8, value, len, FC_TYPE_BYTES, FC_SET, ttl_ms, 0));
        stored++;
    }
    verify(handle);
    fc_stats_fields s = stats_of(handle);
    CHECK(s.sets == stored, "%" PRIu64 " sets counted of %" PRIu64, s.sets, stored);
    CHECK(s.evictions > 0 && s.bytes_used <= s.capacity_bytes, "not full");
    verify(handle);
    fc_close(handle);
}

static void one_shard_full_of_the_largest_values(void) {
    uint32_t handle = private_open(16 << 20, 2, 0);
    fc_info_fields info;
    fc_info(handle, &info);
    uint32_t len = (uint32_t)info.value_len_max;
    for (uint64_t i = 0; i < 100; i++) {
        set_number(handle, i, len, 0);
        check_number(handle, i, len);
    }
    uint64_t number = 1;
    CHECK_STATUS(FC_VALUE_TOO_LARGE,
                 fc_set(handle, &number, 8, buffer, len + 1, FC_TYPE_BYTES, FC_SET, 0, 0));
    verify(handle);
    fc_close(handle);
}

/* Keys are never cut: where they are long for the extents, the ends of these stay empty. That costs
 * room, and nothing else. */
static void long_keys_in_small_shards_never_fail(void) {
    for (uint64_t seed = 1; seed <= 8; seed++) {
        const uint32_t policy = seed % 2 ? FC_EVICTION_LRU : FC_EVICTION_S3FIFO;
        const uint32_t handle = private_open_with(policy, (1 + seed % 3) << 20, 1, 0);
        uint64_t random = seed;
        for (uint32_t i = 0; i < 12000; i++) {
            uint8_t key[1024] = {0};
            const uint32_t number = random_below(&random, 5000);
            uint64_t own = number * seed;
            const uint32_t key_len = 300 + random_below(&own, 725);
            memcpy(key, &number, sizeof number);
            const uint32_t len = random_below(&random, 300);
            CHECK_STATUS(FC_OK, fc_set(handle, key, key_len, buffer, len, FC_TYPE_BYTES, FC_SET,
                                       random_below(&random, 3) ? 0 : 60000, 0));
            if (i % 5 == 0) CHECK_STATUS(FC_OK, fc_touch(handle, key, key_len, 1000000));
        }
        const fc_stats_fields s = stats_of(handle);
        CHECK(s.bytes_used > s.capacity_bytes * 6 / 10, "%" PRIu64 " of %" PRIu64, s.bytes_used,
              s.capacity_bytes);
        verify(handle);
        fc_close(handle);
    }
}

static void more_tiny_entries_than_the_index_can_ever_hold(void) {
    uint32_t handle = private_open(1 << 20, 1, 0);
    for (uint64_t i = 0; i < 200000; i++) {
        CHECK_STATUS(FC_OK, fc_set(handle, &i, 8, NULL, 0, FC_TYPE_NULL, FC_SET, 0, 0));
        CHECK_STATUS(FC_OK, fc_has(handle, &i, 8));
    }
    verify(handle);
    fc_close(handle);
}

int main(void) {
    TEST(every_key_of_a_large_working_set_survives_being_overwritten);
    TEST(nothing_live_leaves_under_ninety_percent);
    TEST(expired_entries_leave_before_live_ones);
    TEST(expired_entries_are_reclaimed_without_being_read);
    TEST(a_large_value_that_is_read_regularly_stays);
    TEST(lru_keeps_what_is_read_regularly);
    TEST(s3fifo_keeps_what_is_read_regularly);
    TEST(least_recently_used_entries_leave_first);
    TEST(sets_of_mixed_sizes_never_fail_and_leave_consistent_counters);
    TEST(one_shard_full_of_the_largest_values);
    TEST(long_keys_in_small_shards_never_fail);
    TEST(more_tiny_entries_than_the_index_can_ever_hold);
    return TESTS_DONE();
}
