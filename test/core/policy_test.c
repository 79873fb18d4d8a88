/* SPDX-License-Identifier: MIT
 *
 * policy_test.c: the figures that the eviction policies are described by: how many reads it takes to
 * stay, how long these count, how long an epoch is; and that expired entries are counted once.
 */
#include "harness.h"

#include "cache.h"
#include "handle.h"
#include "shard.h"

#define VALUE_BYTES 400u

static uint32_t handle;
static uint64_t next_new; /* keys that nobody uses again */

static void begin(uint32_t policy) {
    handle = private_open_with(policy, 1 << 20, 1, 0);
    next_new = 1ull << 40;
}
static void end(void) {
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void set_number(uint64_t number) {
    static const uint8_t value[VALUE_BYTES];
    CHECK_STATUS(FC_OK, fc_set(handle, &number, sizeof number, value, sizeof value, FC_TYPE_BYTES,
                               FC_SET, 0, 0));
}
static void read_times(uint64_t number, int times) {
    uint8_t value[VALUE_BYTES];
    for (int i = 0; i < times; i++)
        CHECK(fc_get(handle, &number, sizeof number, value, sizeof value, 0, NULL) > 0,
              "%" PRIu64 " is gone", number);
}
static bool is_there(uint64_t number) { return fc_has(handle, &number, sizeof number) == FC_OK; }

static uint64_t capacity(void) { return stats_of(handle).capacity_bytes; }

/* New entries that take `share` times the capacity, each read `times` times. */
static void pass_by(double share, int times) {
    const uint64_t count = (uint64_t)(share * (double)capacity() / (VALUE_BYTES + 24));
    for (uint64_t i = 0; i < count; i++) {
        set_number(next_new);
        read_times(next_new++, times);
    }
}

static void two_reads_on_probation_are_what_it_takes_to_stay(void) {
    begin(FC_EVICTION_S3FIFO);
    for (uint64_t number = 0; number < 30; number++) {
        set_number(number);
        read_times(number, (int)(number % 3));
    }
    pass_by(1.5, 0);
    for (uint64_t number = 0; number < 30; number++)
        CHECK(is_there(number) == (number % 3 == 2), "%" PRIu64 ", read %d times, is %s", number,
              (int)(number % 3), is_there(number) ? "there" : "gone");
    end();
}

/* Each read is good for one more round of the main queue, three at most. */
static void what_is_not_read_any_more_leaves_the_main_queue(void) {
    begin(FC_EVICTION_S3FIFO);
    for (uint64_t number = 0; number < 30; number++) {
        set_number(number);
        read_times(number, 2);
    }
    pass_by(1.5, 0); /* they are in the main queue now */
    for (uint64_t number = 0; number < 30; number++) read_times(number, number % 2 ? 20 : 0);
    pass_by(2, 2); /* which turns over twice */
    for (uint64_t number = 0; number < 30; number++)
        CHECK(is_there(number) == number % 2, "%" PRIu64 " is %s", number,
              is_there(number) ? "there" : "gone");
    pass_by(5, 2);
    for (uint64_t number = 0; number < 30; number++)
        CHECK(!is_there(number), "%" PRIu64 " is there for ever", number);
    end();
}

static void an_epoch_is_a_quarter_of_the_capacity(void) {
    begin(FC_EVICTION_LRU);
    const shard s = shard_at(handle_get(handle), 0);
    const uint64_t first = s.header->epoch;
    pass_by(5, 0);
    const uint64_t epochs = s.header->epoch - first;
    CHECK(epochs >= 18 && epochs <= 21, "%" PRIu64 " epochs", epochs);
    /* Overwriting takes nothing in. */
    for (int i = 0; i < 20000; i++) set_number(0);
    CHECK(s.header->epoch - first <= epochs + 1, "%" PRIu64 " epochs", s.header->epoch - first);
    end();
}

static void the_same_by_number_where_entries_are_limited(void) {
    handle = private_open(4 << 20, 1, 1000);
    next_new = 0;
    const shard s = shard_at(handle_get(handle), 0);
    const uint64_t first = s.header->epoch;
    for (int i = 0; i < 5000; i++) set_number(next_new++);
    const uint64_t epochs = s.header->epoch - first;
    CHECK(epochs >= 18 && epochs <= 20, "%" PRIu64 " epochs", epochs);
    CHECK(stats_of(handle).entries == 1000, "%" PRIu64 " entries", stats_of(handle).entries);
    CHECK(stats_of(handle).evictions == 4000, "%" PRIu64, stats_of(handle).evictions);
    end();
}

/* What an overwritten value takes does not count twice: so nothing leaves up to 90 %. */
static void overwriting_large_values_close_to_the_limit_pushes_nothing_out(void) {
    static uint8_t value[120000];
    for (int policy = FC_EVICTION_LRU; policy <= FC_EVICTION_S3FIFO; policy++) {
        handle = private_open_with((uint32_t)policy, 4 << 20, 1, 0);
        const uint64_t limit = capacity() * 9 / 10;
        uint64_t random = 3, keys = 0;
        while (stats_of(handle).bytes_used + sizeof value + 4096 < limit) {
            CHECK_STATUS(FC_OK, fc_set(handle, &keys, sizeof keys, value, sizeof value,
                                       FC_TYPE_BYTES, FC_SET, 0, 0));
            keys++;
        }
        for (int i = 0; i < 500; i++) {
            const uint64_t number = random_below(&random, (uint32_t)keys);
            const uint32_t len = (uint32_t)sizeof value - random_below(&random, 5000);
            CHECK_STATUS(FC_OK, fc_set(handle, &number, sizeof number, value, len, FC_TYPE_BYTES,
                                       FC_SET, 0, 0));
            CHECK(stats_of(handle).evictions == 0, "evicted at %" PRIu64 " of %" PRIu64,
                  stats_of(handle).bytes_used, capacity());
        }
        CHECK(stats_of(handle).entries == keys, "%" PRIu64 " entries", stats_of(handle).entries);
        end();
    }
}

static void an_expired_entry_is_counted_once_whoever_meets_it(void) {
    begin(FC_EVICTION_LRU);
    cache *c = (cache *)handle_get(handle);
    uint64_t expected = 0;
    double sum;
    char value[8];
    for (int who = 0; who < 8; who++) {
        for (int i = 0; i < 2; i++)
            CHECK_STATUS(FC_OK,
                         fc_set(handle, i ? "a" : "b", 1, "v", 1, FC_TYPE_BYTES, FC_SET, 1000, 0));
        c->clock_base_ms += 1000;
        switch (who) {
        case 0:
            CHECK_STATUS(FC_OK, fc_set(handle, "a", 1, "v", 1, 0, FC_SET, 0, 0));
            break;
        case 1:
            CHECK_STATUS(FC_MISS, fc_delete(handle, "a", 1));
            break;
        case 2:
            CHECK_STATUS(FC_MISS, fc_touch(handle, "a", 1, 1000));
            break;
        case 3:
            CHECK_STATUS(FC_OK, fc_increment(handle, "a", 1, 1, 0, 0, &sum));
            break;
        case 4:
            CHECK_STATUS(FC_MISS, fc_get(handle, "a", 1, value, 8, 0, NULL));
            break;
        case 5:
            CHECK_STATUS(FC_MISS, fc_set(handle, "a", 1, "v", 1, 0, FC_SET_IF_PRESENT, 0, 0));
            break;
        case 6:
            CHECK_STATUS(FC_OK, fc_set(handle, "a", 1, "v", 1, 0, FC_SET_IF_ABSENT, 0, 0));
            break;
        default:
            break; /* who counts, meets it too */
        }
        expected += 2;
        c->clock_base_ms += 10;
        CHECK(stats_of(handle).expirations == expected, "%" PRIu64 " expirations, not %" PRIu64,
              stats_of(handle).expirations, expected);
        const bool stored = who == 0 || who == 3 || who == 6;
        CHECK(stats_of(handle).entries == stored, "%" PRIu64 " entries", stats_of(handle).entries);
        if (stored) CHECK_STATUS(FC_OK, fc_delete(handle, "a", 1));
    }
    CHECK(stats_of(handle).evictions == 0 && stats_of(handle).deletes == 3, "counted as another");
    end();
}

int main(void) {
    TEST(two_reads_on_probation_are_what_it_takes_to_stay);
    TEST(what_is_not_read_any_more_leaves_the_main_queue);
    TEST(an_epoch_is_a_quarter_of_the_capacity);
    TEST(the_same_by_number_where_entries_are_limited);
    TEST(overwriting_large_values_close_to_the_limit_pushes_nothing_out);
    TEST(an_expired_entry_is_counted_once_whoever_meets_it);
    return TESTS_DONE();
}
