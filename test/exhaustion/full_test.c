/* SPDX-License-Identifier: MIT
 *
 * full_test.c: a shard has no more room for words in its index, or is full of huge values. A set
 * still succeeds, what was just set is there, and the segment is sound.
 */
#include "exhaustion.h"

#define VALUE_MAX (1u << 20)

static uint8_t wanted[VALUE_MAX + 1], got[VALUE_MAX + 1];

static uint32_t open_policy(uint64_t size, fc_eviction eviction) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_PRIVATE,
                          .create = FC_CREATE_OR_ATTACH,
                          .shards = 1,
                          .eviction = (uint32_t)eviction,
                          .size_bytes = size};
    fc_report report;
    int32_t status = fc_open(&options, NULL, 0, &report);
    CHECK(status == FC_OK, "%s", report.message);
    return report.handle;
}

static void crowd(fc_eviction eviction) {
    uint32_t handle = open_policy(1 << 20, eviction);
    for (uint32_t key = 0; key < 200000; key++) {
        CHECK_STATUS(FC_OK, fc_set(handle, &key, sizeof key, NULL, 0, FC_TYPE_TRUE, FC_SET, 0, 0));
        CHECK_STATUS(FC_OK, fc_has(handle, &key, sizeof key));
    }
    verify(handle);
    fc_stats_fields stats = stats_of(handle);
    CHECK(stats.entries + stats.evictions == 200000, "%" PRIu64 " entries, %" PRIu64 " evicted",
          stats.entries, stats.evictions);
    CHECK(stats.evictions > 0, "all fitted: this is no crowd");
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void a_full_index(void) {
    crowd(FC_EVICTION_LRU);
    crowd(FC_EVICTION_S3FIFO);
}

static void fill_huge(fc_eviction eviction) {
    uint32_t handle = open_policy(4 << 20, eviction);
    fc_info_fields info;
    CHECK_STATUS(FC_OK, fc_info(handle, &info));
    const uint32_t huge = (uint32_t)info.value_len_max;
    CHECK(huge <= VALUE_MAX, "%u bytes", huge);
    uint64_t random = 3;
    for (uint32_t i = 0; i < 500; i++) {
        const uint32_t key = random_below(&random, 20);
        const uint32_t len = i % 3 ? huge : random_below(&random, huge);
        fill_value(wanted, len, i);
        CHECK_STATUS(FC_OK,
                     fc_set(handle, &key, sizeof key, wanted, len, FC_TYPE_BYTES, FC_SET, 0, 0));
        int32_t seen = fc_get(handle, &key, sizeof key, got, sizeof got, 0, NULL);
        CHECK(seen == (int32_t)len && memcmp(wanted, got, len) == 0, "value %u is wrong", i);
        /* One byte more is refused, and what is there stays. */
        CHECK_STATUS(FC_VALUE_TOO_LARGE, fc_set(handle, &key, sizeof key, wanted, huge + 1,
                                                FC_TYPE_BYTES, FC_SET, 0, 0));
        CHECK_STATUS(FC_OK, fc_has(handle, &key, sizeof key));
        if (i % 50 == 0) verify(handle);
    }
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void a_shard_of_huge_values(void) {
    fill_huge(FC_EVICTION_LRU);
    fill_huge(FC_EVICTION_S3FIFO);
}

int main(void) {
    TEST(a_full_index);
    TEST(a_shard_of_huge_values);
    return TESTS_DONE();
}
