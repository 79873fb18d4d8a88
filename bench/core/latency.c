/* SPDX-License-Identifier: MIT
 *
 * latency.c measures what one set costs when the segment is full: new keys, values of 0 to 1,023
 * bytes, 64 MiB, one process; and how much of a full segment is the user's: keys of 16 bytes,
 * values of 64, 512 and 4,096. Each set is timed on its own; the clock's own cost, which is in
 * every figure, is told. The hash seed is fixed.
 *
 * Prints one JSON object per line.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fastcache.h"
#include "fixed_seed.h"

#define SEGMENT_BYTES (64u << 20)
#define WARM_UP 500000u
#define TIMED 500000u
#define STRETCHES 5u

static uint64_t random_state = 88172645463325252ull;
static uint64_t random_next(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1dull;
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t segment_open(void) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_PRIVATE,
                          .create = FC_CREATE_OR_ATTACH,
                          .size_bytes = SEGMENT_BYTES};
    fc_report report;
    if (fc_open(&options, NULL, 0, &report) != FC_OK) {
        fprintf(stderr, "%s\n", report.message);
        exit(1);
    }
    seed_fix(report.handle, FIXED_SEED);
    return report.handle;
}

static void set_new(uint32_t handle, uint32_t value_len) {
    static uint8_t value[4096];
    const uint64_t key[2] = {random_next(), random_next()};
    int32_t status = fc_set(handle, key, 16, value, value_len, FC_TYPE_BYTES, FC_SET, 0, 0);
    if (status == FC_OK) return;
    fprintf(stderr, "set: %s\n", fc_status_text(status));
    exit(1);
}

static int by_size(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

typedef struct percentiles {
    uint32_t p50, p99, p999, p9999;
} percentiles;

static int by_p999(const void *a, const void *b) {
    const percentiles *x = a, *y = b;
    return x->p999 < y->p999 ? -1 : x->p999 > y->p999;
}

/* The median of some stretches: others use this machine too. */
static void measure_latency(void) {
    uint32_t *ns = malloc(TIMED * sizeof *ns);
    if (!ns) exit(1);
    uint64_t begin = now_ns();
    for (uint32_t i = 0; i < 1000000; i++) now_ns();
    const double clock_ns = (double)(now_ns() - begin) / 1e6;
    uint32_t handle = segment_open();
    for (uint32_t i = 0; i < WARM_UP; i++) set_new(handle, (uint32_t)(random_next() % 1024));
    percentiles stretches[STRETCHES];
    for (uint32_t stretch = 0; stretch < STRETCHES; stretch++) {
        for (uint32_t i = 0; i < TIMED; i++) {
            const uint32_t value_len = (uint32_t)(random_next() % 1024);
            begin = now_ns();
            set_new(handle, value_len);
            ns[i] = (uint32_t)(now_ns() - begin);
        }
        qsort(ns, TIMED, sizeof *ns, by_size);
        stretches[stretch] = (percentiles){ns[TIMED / 2], ns[TIMED / 100 * 99],
                                           ns[TIMED / 1000 * 999], ns[TIMED / 10000 * 9999]};
    }
    qsort(stretches, STRETCHES, sizeof *stretches, by_p999);
    const percentiles p = stretches[STRETCHES / 2];
    printf("{\"name\": \"set, steady eviction\", \"clock\": %.0f, \"p50\": %u, \"p99\": %u, "
           "\"p99.9\": %u, \"p99.99\": %u}\n",
           clock_ns, p.p50, p.p99, p.p999, p.p9999);
    fflush(stdout);
    fc_close(handle);
    free(ns);
}

static void measure_share(uint32_t value_len) {
    uint32_t handle = segment_open();
    const uint64_t sets = 3ull * SEGMENT_BYTES / (value_len + 16);
    for (uint64_t i = 0; i < sets; i++) set_new(handle, value_len);
    fc_stats_fields stats;
    fc_stats(handle, &stats);
    printf("{\"name\": \"user bytes, values of %u\", \"share\": %.3f, \"overhead\": %.1f}\n",
           value_len, (double)stats.entries * (value_len + 16) / SEGMENT_BYTES,
           (double)SEGMENT_BYTES / (double)stats.entries - value_len - 16);
    fflush(stdout);
    fc_close(handle);
}

int main(void) {
    measure_latency();
    measure_share(64);
    measure_share(512);
    measure_share(4096);
    return 0;
}
