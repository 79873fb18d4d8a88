/* SPDX-License-Identifier: MIT
 *
 * order_test.c: who leaves first, over long times and when the work shifts (contract E4, E5).
 */
#include "harness.h"

#define SHARD_BYTES (1u << 20)

static uint8_t value[1u << 17];

static void set_number(uint32_t handle, uint64_t number, uint32_t len) {
    CHECK_STATUS(FC_OK,
                 fc_set(handle, &number, sizeof number, value, len, FC_TYPE_BYTES, FC_SET, 0, 0));
}
static bool use(uint32_t handle, uint64_t number) {
    static uint8_t buffer[sizeof value];
    return fc_get(handle, &number, sizeof number, buffer, sizeof buffer, 0, NULL) >= 0;
}
static uint32_t count_there(uint32_t handle, uint64_t from, uint64_t to) {
    uint32_t there = 0;
    for (uint64_t i = from; i < to; i++) there += fc_has(handle, &i, sizeof i) == FC_OK;
    return there;
}

/* Overwritten often enough to turn a count of 8 bits over: in epochs of a quarter of the shard, by
 * what an increment stores. */
static void a_hot_counter_does_not_turn_the_order_of_the_others_over(void) {
    static const uint32_t counts[] = {300000, 1500000};
    for (uint32_t round = 0; round < 2; round++) {
        const uint32_t increments = counts[round];
        const uint32_t handle = private_open(SHARD_BYTES, 1, 0);
        uint64_t cold = 1;
        while (stats_of(handle).bytes_used < stats_of(handle).capacity_bytes * 84 / 100)
            for (int i = 0; i < 100; i++) set_number(handle, cold++, 80);
        for (uint32_t i = 0; i < increments; i++) {
            double sum;
            CHECK_STATUS(FC_OK, fc_increment(handle, "counter", 7, 1, 0, 0, &sum));
        }
        const uint64_t used = cold / 10, added = cold / 2, first_new = 1000000;
        for (uint64_t i = 1; i <= used; i++) CHECK(use(handle, i), "%" PRIu64 " has left", i);
        for (uint64_t i = 0; i < added; i++) set_number(handle, first_new + i, 80);
        CHECK(stats_of(handle).evictions > 0, "nothing had to leave");
        const uint32_t kept = count_there(handle, 1, used + 1);
        const uint32_t new_kept = count_there(handle, first_new, first_new + added);
        CHECK(kept == used, "%u of %" PRIu64 " that were just used are there", kept, used);
        CHECK(new_kept == added, "%u of %" PRIu64 " new ones are there", new_kept, added);
        verify(handle);
        CHECK_STATUS(FC_OK, fc_close(handle));
    }
}

/* Hits in a thousand of a round of requests with a few popular keys. */
static uint32_t round_of(uint32_t handle, uint64_t prefix, uint32_t len, uint32_t requests,
                         uint64_t *random) {
    uint32_t hits = 0;
    const double keys = 2.0 * SHARD_BYTES * 4 / len;
    for (uint32_t i = 0; i < requests; i++) {
        const double at = (double)(random_next(random) >> 11) * 0x1p-53;
        const uint64_t number = prefix << 32 | (uint64_t)(keys * at * at * at);
        if (use(handle, number))
            hits++;
        else
            set_number(handle, number, len);
    }
    return (uint32_t)(hits * 1000ull / requests);
}

/* From values of many extents to small ones, and the other way round: soon the cache does as well as
 * one that never saw the old ones, and nothing of them stays. */
static void shift(uint32_t policy, uint32_t len_before, uint32_t len_after) {
    const uint32_t shifted = private_open_with(policy, 4 * SHARD_BYTES, 1, 0);
    const uint32_t fresh = private_open_with(policy, 4 * SHARD_BYTES, 1, 0);
    const uint32_t requests = 4u * SHARD_BYTES / len_after * 6 + 2000;
    uint64_t random = 1, random_before = 5;
    (void)round_of(shifted, 1, len_before, 4u * SHARD_BYTES / len_before * 12 + 2000,
                   &random_before);
    uint32_t ratio = 0, ratio_fresh = 0;
    for (int round = 0; round < 6; round++) {
        uint64_t same = random;
        ratio = round_of(shifted, 2, len_after, requests, &random);
        ratio_fresh = round_of(fresh, 2, len_after, requests, &same);
    }
    CHECK(ratio + 10 >= ratio_fresh, "policy %u, %u to %u bytes: %u hits in a thousand, fresh %u",
          policy, len_before, len_after, ratio, ratio_fresh);
    const uint64_t old = 1ull << 32;
    const uint32_t left = count_there(shifted, old, old + 20000);
    CHECK(left * (uint64_t)len_before < SHARD_BYTES / 50,
          "policy %u: %u old values of %u bytes are left", policy, left, len_before);
    verify(shifted);
    CHECK_STATUS(FC_OK, fc_close(shifted));
    CHECK_STATUS(FC_OK, fc_close(fresh));
}

static void a_cache_adapts_when_the_size_of_values_shifts(void) {
    static const uint32_t lens[] = {1000, 12000, 120000};
    for (uint32_t before = 0; before < 3; before++)
        for (uint32_t after = 0; after < 3; after++)
            for (uint32_t policy = FC_EVICTION_LRU; policy <= FC_EVICTION_S3FIFO; policy++)
                if (before != after) shift(policy, lens[before], lens[after]);
}

int main(void) {
    TEST(a_hot_counter_does_not_turn_the_order_of_the_others_over);
    TEST(a_cache_adapts_when_the_size_of_values_shifts);
    return TESTS_DONE();
}
