/* SPDX-License-Identifier: MIT
 *
 * harness.h owns what every C unit test needs: checks that say what they saw, a seeded random
 * generator, and private segments that vanish with their handle.
 */
#ifndef FC_TEST_HARNESS_H
#define FC_TEST_HARNESS_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fastcache.h"

static unsigned test_count;

#define TEST(name)                                 \
    do {                                           \
        name();                                    \
        test_count++;                              \
        printf("ok %u - %s\n", test_count, #name); \
        fflush(stdout);                            \
    } while (0)

/* What to make an attachment's `thread`, so that handles opened later in this thread do not share
 * it: as those of another process. */
#define ANOTHER_THREAD UINT64_MAX

/* The number of tests, where the runner looks for it. */
#define TESTS_DONE() (printf("1..%u\n", test_count), 0)

#define CHECK(condition, ...)                                                         \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: not true: %s: ", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__);                                             \
            fprintf(stderr, "\n");                                                    \
            exit(1);                                                                  \
        }                                                                             \
    } while (0)

#define CHECK_STATUS(expected, call)                                                 \
    do {                                                                             \
        int32_t status_seen = (call);                                                \
        CHECK(status_seen == (expected), "status %d (%s), expected %d", status_seen, \
              fc_status_text(status_seen), (int)(expected));                         \
    } while (0)

/* xorshift64* (Vigna): seeded, the same on every machine. */
static inline uint64_t random_next(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}
static inline uint32_t random_below(uint64_t *state, uint32_t limit) {
    return (uint32_t)(random_next(state) % limit);
}

static inline uint32_t private_open_with(uint32_t eviction, uint64_t size_bytes, uint32_t shards,
                                         uint64_t max_entries) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_PRIVATE,
                          .create = FC_CREATE_OR_ATTACH,
                          .eviction = eviction,
                          .shards = shards,
                          .size_bytes = size_bytes,
                          .max_entries = max_entries};
    fc_report report;
    int32_t status = fc_open(&options, NULL, 0, &report);
    CHECK(status == FC_OK, "%s", report.message);
    return report.handle;
}
static inline uint32_t private_open(uint64_t size_bytes, uint32_t shards, uint64_t max_entries) {
    return private_open_with(FC_EVICTION_LRU, size_bytes, shards, max_entries);
}

static inline void verify(uint32_t handle) {
    fc_report report;
    int32_t status = fc_verify(handle, &report);
    CHECK(status == FC_OK, "%s", report.message);
}

static inline fc_stats_fields stats_of(uint32_t handle) {
    fc_stats_fields stats;
    CHECK_STATUS(FC_OK, fc_stats(handle, &stats));
    return stats;
}

/* A value that tells whose it is: every byte follows from the seed. */
static inline void fill_value(uint8_t *value, uint32_t len, uint64_t seed) {
    for (uint32_t i = 0; i < len; i++)
        value[i] = (uint8_t)((seed + i) * 0x9e3779b97f4a7c15ull >> 56);
}

#endif
