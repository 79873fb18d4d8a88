/* SPDX-License-Identifier: MIT
 *
 * instructions.c runs one operation of the core many times, for a program that counts instructions
 * (bench/instructions.mjs): keys of 16 bytes, values of 500, in a segment that is already filled.
 *
 *   instructions get|miss|set|evict|getMany|increment [hash seed]
 *
 * Without a seed it is that of fixed_seed.h, so that counts are always the same.
 *
 * Only what run_<operation> executes is to be counted: COUNT operations. `set` overwrites where there
 * is room; `evict` sets new keys in a segment that is full.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fastcache.h"
#include "fixed_seed.h"

#define COUNT 20000u
#define SIZE_BYTES (64ull << 20)
#define ROOM_ENTRIES 40000u
#define FULL_ENTRIES 200000u
#define VALUE_LEN 500u
#define BATCH 100u

#define COUNTED __attribute__((noinline, used))

static uint32_t handle;
static uint8_t value[VALUE_LEN];

typedef struct name {
    uint64_t number[2];
} name;

static name name_of(uint64_t number) { return (name){{number * 0x9e3779b97f4a7c15ull, number}}; }

static void check(int32_t status, int32_t wanted) {
    if (status == wanted) return;
    fprintf(stderr, "%s\n", fc_status_text(status));
    exit(1);
}

static void set(uint64_t number) {
    const name key = name_of(number);
    check(fc_set(handle, &key, sizeof key, value, VALUE_LEN, FC_TYPE_BYTES, FC_SET, 0, 0), FC_OK);
}

static void get(uint64_t number, int32_t wanted) {
    const name key = name_of(number);
    uint8_t answer[VALUE_LEN];
    check(fc_get(handle, &key, sizeof key, answer, sizeof answer, 0, NULL), wanted);
}

COUNTED void run_get(void) {
    for (uint32_t i = 0; i < COUNT; i++) get(i, VALUE_LEN);
}

COUNTED void run_miss(void) {
    for (uint32_t i = 0; i < COUNT; i++) get(FULL_ENTRIES + i, FC_MISS);
}

COUNTED void run_set(void) {
    for (uint32_t i = 0; i < COUNT; i++) set(i);
}

COUNTED void run_evict(void) {
    for (uint32_t i = 0; i < COUNT; i++) set(FULL_ENTRIES + i);
}

COUNTED void run_getMany(void) {
    static uint8_t request[BATCH * 20], answers[BATCH * 1024];
    const uint32_t key_len = sizeof(name);
    for (uint32_t i = 0; i < COUNT; i += BATCH) {
        for (uint32_t j = 0; j < BATCH; j++) {
            const name key = name_of(i + j);
            memcpy(request + j * 20, &key_len, 4);
            memcpy(request + j * 20 + 4, &key, sizeof key);
        }
        int32_t got =
            fc_get_many(handle, request, sizeof request, BATCH, answers, sizeof answers, 0);
        check(got, (int32_t)BATCH);
    }
}

COUNTED void run_increment(void) {
    for (uint32_t i = 0; i < COUNT; i++) {
        const name key = name_of(FULL_ENTRIES + i % 100);
        double sum;
        check(fc_increment(handle, &key, sizeof key, 1, 0, 0, &sum), FC_OK);
    }
}

static const struct {
    const char *name;
    void (*run)(void);
    uint32_t entries;
} operations[] = {
    {"get", run_get, ROOM_ENTRIES},         {"miss", run_miss, ROOM_ENTRIES},
    {"set", run_set, ROOM_ENTRIES},         {"evict", run_evict, FULL_ENTRIES},
    {"getMany", run_getMany, ROOM_ENTRIES}, {"increment", run_increment, ROOM_ENTRIES},
};

int main(int argc, char **argv) {
    for (uint32_t i = 0; argc > 1 && i < sizeof operations / sizeof *operations; i++) {
        if (strcmp(argv[1], operations[i].name) != 0) continue;
        const fc_options options = {.struct_size = sizeof options,
                                    .kind = FC_KIND_PRIVATE,
                                    .create = FC_CREATE_OR_ATTACH,
                                    .shards = 4,
                                    .size_bytes = SIZE_BYTES};
        fc_report report;
        check(fc_open(&options, NULL, 0, &report), FC_OK);
        handle = report.handle;
        seed_fix(handle, argc > 2 ? strtoull(argv[2], NULL, 0) : FIXED_SEED);
        for (uint32_t entry = 0; entry < operations[i].entries; entry++) set(entry);
        operations[i].run();
        return fc_close(handle);
    }
    fprintf(stderr, "which operation?\n");
    return 2;
}
