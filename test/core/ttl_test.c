/* SPDX-License-Identifier: MIT
 *
 * ttl_test.c: what the kinds of `ttl_ms` mean for each call that takes one, and that what is told of
 * an entry may be given back. Random mixes of them are in test/fuzz/sequence_test.c.
 */
#include "harness.h"

#include <math.h>

#include "cache.h"
#include "handle.h"

static uint32_t handle;

static int32_t set(const char *key, uint32_t mode, double ttl_ms) {
    return fc_set(handle, key, (uint32_t)strlen(key), "value", 5, FC_TYPE_ASCII, mode, ttl_ms, 0);
}
static int32_t has(const char *key) { return fc_has(handle, key, (uint32_t)strlen(key)); }
static int32_t touch(const char *key, double ttl_ms) {
    return fc_touch(handle, key, (uint32_t)strlen(key), ttl_ms);
}
static int32_t increment(const char *key, double initial, double ttl_ms, double *sum) {
    return fc_increment(handle, key, (uint32_t)strlen(key), 1, initial, ttl_ms, sum);
}
static double ttl_of(const char *key) {
    double ttl_ms = -1;
    CHECK_STATUS(FC_OK, fc_ttl(handle, key, (uint32_t)strlen(key), &ttl_ms));
    return ttl_ms;
}
static void pass(uint64_t ms) { ((cache *)handle_get(handle))->clock_base_ms += ms; }

static void zero_and_infinity_are_no_deadline(void) {
    const double none[] = {0, -0.0, INFINITY};
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_STATUS(FC_OK, set("key", FC_SET, 1000));
        CHECK_STATUS(FC_OK, set("key", FC_SET, none[i]));
        CHECK(isinf(ttl_of("key")), "set: %f", none[i]);
        CHECK_STATUS(FC_OK, touch("key", 1000));
        CHECK_STATUS(FC_OK, touch("key", none[i]));
        CHECK(isinf(ttl_of("key")), "touch: %f", none[i]);
    }
}

static void less_than_zero_is_over_at_once_and_answers_as_if_stored(void) {
    const double past[] = {-1, -0.001, -1e300, -INFINITY};
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_STATUS(FC_OK, set("key", FC_SET, 0));
        const fc_stats_fields before = stats_of(handle);
        CHECK_STATUS(FC_MISS, set("key", FC_SET_IF_ABSENT, past[i]));
        CHECK_STATUS(FC_OK, has("key"));
        CHECK_STATUS(FC_OK, set("key", FC_SET, past[i]));
        CHECK_STATUS(FC_MISS, has("key"));
        CHECK_STATUS(FC_MISS, set("key", FC_SET_IF_PRESENT, past[i]));
        CHECK_STATUS(FC_OK, set("key", FC_SET_IF_ABSENT, past[i]));
        CHECK_STATUS(FC_MISS, has("key"));
        const fc_stats_fields after = stats_of(handle);
        CHECK(after.sets - before.sets == 2, "%" PRIu64 " sets", after.sets - before.sets);
        CHECK(after.expirations - before.expirations == 2, "not counted as expired");
        CHECK(after.entries == before.entries - 1, "entries: %" PRIu64, after.entries);

        CHECK_STATUS(FC_OK, set("key", FC_SET, 0));
        CHECK_STATUS(FC_OK, touch("key", past[i]));
        CHECK_STATUS(FC_MISS, has("key"));
        CHECK_STATUS(FC_MISS, touch("key", past[i]));

        double sum = 0;
        CHECK_STATUS(FC_OK, increment("counter", 5, past[i], &sum));
        CHECK(sum == 6, "sum %f", sum);
        CHECK_STATUS(FC_MISS, has("counter"));
    }
}

static void a_value_that_is_over_at_once_is_checked_like_any_other(void) {
    fc_info_fields info;
    CHECK_STATUS(FC_OK, fc_info(handle, &info));
    CHECK_STATUS(FC_OK, set("key", FC_SET, 0));
    uint8_t *large = calloc(1, info.value_len_max + 1);
    CHECK_STATUS(FC_VALUE_TOO_LARGE,
                 fc_set(handle, "key", 3, large, (uint32_t)info.value_len_max + 1, FC_TYPE_BYTES,
                        FC_SET, -1, 0));
    free(large);
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_set(handle, "key", 3, "v", 1, 999, FC_SET, -1, 0));
    CHECK_STATUS(FC_OK, has("key"));
}

static void what_is_no_time_is_refused_and_changes_nothing(void) {
    const double wrong[] = {NAN, FC_TTL_MS_MAX + 1, 1e300};
    double sum;
    CHECK_STATUS(FC_OK, set("key", FC_SET, 0));
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_STATUS(FC_INVALID_ARGUMENT, set("key", FC_SET, wrong[i]));
        CHECK_STATUS(FC_INVALID_ARGUMENT, touch("key", wrong[i]));
        CHECK_STATUS(FC_INVALID_ARGUMENT, increment("none", 0, wrong[i], &sum));
    }
    CHECK(isinf(ttl_of("key")), "the deadline changed");
    CHECK_STATUS(FC_INVALID_ARGUMENT, set("key", FC_KEEP_TTL << 1, 0));
    CHECK_STATUS(FC_INVALID_ARGUMENT, set("key", FC_KEEP_TTL | (FC_SET_IF_LEASE + 1), 0));
    CHECK_STATUS(FC_INVALID_ARGUMENT, increment("none", INFINITY, 0, &sum));
}

static void a_time_is_above_zero_as_long_as_the_entry_is_there(void) {
    for (int round = 0; round < 20; round++) {
        CHECK_STATUS(FC_OK, set("key", FC_SET, 3));
        double ttl_ms = 3;
        int32_t status;
        while ((status = fc_ttl(handle, "key", 3, &ttl_ms)) == FC_OK) {
            CHECK(ttl_ms >= 1 && ttl_ms <= 3, "%f ms", ttl_ms);
            fc_item item = {0};
            uint8_t value[5];
            if (fc_get(handle, "key", 3, value, 5, FC_PEEK, &item) == 5)
                CHECK(item.ttl_ms >= 1 && item.ttl_ms <= 3, "%f ms", item.ttl_ms);
        }
        CHECK_STATUS(FC_MISS, status);
        CHECK_STATUS(FC_OK, set("copy", FC_SET, ttl_ms));
    }
}

static void a_deadline_is_kept_if_there_is_one_to_keep(void) {
    const uint32_t modes[] = {FC_SET, FC_SET_IF_PRESENT};
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_STATUS(FC_OK, set("mortal", FC_SET, 1e9));
        CHECK_STATUS(FC_OK, set("immortal", FC_SET, 0));
        pass(500000000);
        CHECK_STATUS(FC_OK, set("mortal", modes[i] | FC_KEEP_TTL, 7));
        CHECK_STATUS(FC_OK, set("immortal", modes[i] | FC_KEEP_TTL, 7));
        CHECK(ttl_of("mortal") > 4e8 && ttl_of("mortal") <= 5e8, "%f", ttl_of("mortal"));
        CHECK(isinf(ttl_of("immortal")), "it got a deadline");
        pass(500000000);
        CHECK_STATUS(FC_MISS, has("mortal"));
    }
    CHECK_STATUS(FC_OK, set("expired", FC_SET, 1000));
    pass(1000);
    CHECK_STATUS(FC_OK, set("expired", FC_SET | FC_KEEP_TTL, 1e6));
    CHECK_STATUS(FC_OK, set("new", FC_SET_IF_ABSENT | FC_KEEP_TTL, 1e6));
    CHECK(ttl_of("expired") > 9e5 && ttl_of("expired") <= 1e6, "%f", ttl_of("expired"));
    CHECK(ttl_of("new") > 9e5 && ttl_of("new") <= 1e6, "%f", ttl_of("new"));
    CHECK_STATUS(FC_OK, set("none", FC_SET | FC_KEEP_TTL, -1));
    CHECK_STATUS(FC_MISS, has("none"));
    CHECK_STATUS(FC_OK, set("new", FC_SET | FC_KEEP_TTL, -1));
    CHECK_STATUS(FC_OK, has("new"));
}

static void batches_may_keep_deadlines_and_know_no_other_flag(void) {
    struct {
        fc_packed_entry header;
        char key_and_value[9];
    } entry = {{3, 5, FC_TYPE_ASCII, FC_KEEP_TTL, 5}, "keyvalue"};
    uint32_t done;
    CHECK_STATUS(FC_OK, set("key", FC_SET, 1e9));
    CHECK_STATUS(FC_OK, fc_set_many(handle, &entry, sizeof entry, 1, &done));
    CHECK(ttl_of("key") > 9e8, "%f", ttl_of("key"));
    entry.header.flags = FC_SET_IF_ABSENT;
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_set_many(handle, &entry, sizeof entry, 1, &done));
    entry.header.flags = 0;
    entry.header.ttl_ms = -1;
    CHECK_STATUS(FC_OK, fc_set_many(handle, &entry, sizeof entry, 1, &done));
    CHECK(done == 1, "%u done", done);
    CHECK_STATUS(FC_MISS, has("key"));
}

static void a_counter_that_must_be_there_is_never_created(void) {
    double sum = 77;
    CHECK_STATUS(FC_MISS, increment("window", NAN, 1000, &sum));
    CHECK(sum == 77, "a sum of nothing");
    CHECK_STATUS(FC_MISS, has("window"));
    CHECK_STATUS(FC_OK, increment("window", 0, 1000, &sum));
    CHECK_STATUS(FC_OK, increment("window", NAN, 0, &sum));
    CHECK(sum == 2 && ttl_of("window") <= 1000, "sum %f", sum);
    pass(1000);
    CHECK_STATUS(FC_MISS, increment("window", NAN, 0, &sum));
}

int main(void) {
    handle = private_open(4 << 20, 1, 0);
    TEST(zero_and_infinity_are_no_deadline);
    TEST(less_than_zero_is_over_at_once_and_answers_as_if_stored);
    TEST(a_value_that_is_over_at_once_is_checked_like_any_other);
    TEST(what_is_no_time_is_refused_and_changes_nothing);
    TEST(a_time_is_above_zero_as_long_as_the_entry_is_there);
    TEST(a_deadline_is_kept_if_there_is_one_to_keep);
    TEST(batches_may_keep_deadlines_and_know_no_other_flag);
    TEST(a_counter_that_must_be_there_is_never_created);
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
    return TESTS_DONE();
}
