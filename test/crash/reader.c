/* SPDX-License-Identifier: MIT
 *
 * reader.c stops a reader after each of its instructions, lets others change what it looks at, and
 * lets it go on (contract R2).
 *
 *   reader [--stride N]    after each Nth instruction
 *
 *   a word's place   the index shrinks, and the extent with the bucket that the reader has found
 *                    its key in is filled with records: none of them may be changed by the reader,
 *                    which notes that the entry was used
 *   a deadline       the entry gets a later one, by touch or by set, and the one that the reader has
 *                    seen passes: the entry was there all the time, so the reader must find it
 */
#include "handle.h"
#include "harness.h"
#include "index.h"
#include "mark.h"
#include "os/os.h"
#include "traced.h"

#define SMALL_ENTRIES 3000u /* their words take several extents */
#define SMALL 8u
#define EPOCH_ENTRIES 600u /* the small ones are of an earlier epoch then: a read marks them */
#define LARGE 600u
#define NEW_ENTRIES 300u /* go to every extent that is free */
#define NEW 3000u
/* More than the steps take, and then some. */
#define TTL_MS 40u
#define LATER_MS 60000u

static uint8_t read_bytes[4096], wanted_bytes[4096];
static uint32_t in_time;

/* What the reader reads. It sees what is written here. */
typedef struct request {
    int descriptor;
    uint32_t handle; /* the reader's */
    char key[32];
    uint32_t key_len;
} request;
static request *subject;

static uint32_t name(char key[32], char kind, uint32_t number) {
    return (uint32_t)snprintf(key, 32, "%c%u", kind, number);
}

static void set(uint32_t handle, char kind, uint32_t number, uint32_t len, double ttl_ms) {
    char key[32];
    const uint32_t key_len = name(key, kind, number);
    fill_value(wanted_bytes, len, number);
    CHECK_STATUS(FC_OK,
                 fc_set(handle, key, key_len, wanted_bytes, len, FC_TYPE_BYTES, FC_SET, ttl_ms, 0));
}

static void delete_all(uint32_t handle, char kind, uint32_t count) {
    char key[32];
    for (uint32_t i = 0; i < count; i++) (void)fc_delete(handle, key, name(key, kind, i));
}

/* ------------------------------------------------------------------ the reader */

static void reader_prepare(void *context, traced_page *page) {
    request *r = context;
    (void)page;
    const fc_options options = {.struct_size = sizeof options,
                                .kind = FC_KIND_FD,
                                .create = FC_ATTACH,
                                .fd = r->descriptor};
    fc_report report;
    CHECK(fc_open(&options, NULL, 0, &report) == FC_OK, "%s", report.message);
    r->handle = report.handle;
}

static int32_t reader_run(void *context) {
    const request *r = context;
    return fc_get(r->handle, r->key, r->key_len, read_bytes, sizeof read_bytes, 0, NULL);
}

static traced reader_start(uint32_t handle) {
    fc_info_fields info;
    CHECK_STATUS(FC_OK, fc_info(handle, &info));
    subject->descriptor = (int)info.fd;
    return traced_start(&(traced_task){reader_prepare, reader_run, subject});
}

/* False if the run ends before. */
static bool step_to(traced *reader, uint32_t instruction) {
    for (uint32_t i = 0; i < instruction; i++)
        if (!traced_step(reader)) return false;
    return true;
}

/* ---------------------------------------------------------------- a word's place */

/* A small entry that a read would mark, and whose word lies in another extent than the last. */
static void choose_subject(uint32_t handle) {
    const cache *c = handle_get(handle);
    const shard s = shard_at(c, 0);
    for (uint32_t i = 0; i < SMALL_ENTRIES; i++) {
        subject->key_len = name(subject->key, 's', i);
        found entry;
        const uint64_t hash = fc_hash(subject->key, subject->key_len, c->hash_seed);
        if (!index_find(&s, hash, subject->key, subject->key_len, &entry)) continue;
        const uint64_t offset = (uint64_t)((const uint8_t *)entry.word - s.extents);
        if (extent_of(&s, offset) >= s.geometry->extents - 1) continue;
        const uint32_t mark = word_mark(entry.value);
        if (mark_after_use(&s, entry.record.extent, mark) != mark) return;
    }
    CHECK(false, "no entry has its word where the index will shrink");
}

/* False if the reader has fewer instructions. */
static bool place_reused_at(uint32_t instruction) {
    const uint32_t handle = private_open(FC_SIZE_MIN, 1, 0);
    for (uint32_t i = 0; i < SMALL_ENTRIES; i++) set(handle, 's', i, SMALL, 0);
    for (uint32_t i = 0; i < EPOCH_ENTRIES; i++) set(handle, 'l', i, LARGE, 0);
    choose_subject(handle);
    traced reader = reader_start(handle);
    const bool is_inside = step_to(&reader, instruction);
    if (is_inside) {
        delete_all(handle, 's', SMALL_ENTRIES);
        delete_all(handle, 'l', EPOCH_ENTRIES);
        for (uint32_t i = 0; i < NEW_ENTRIES; i++) set(handle, 'n', i, NEW, 0);
        traced_finish(&reader);
        char key[32];
        for (uint32_t i = 0; i < NEW_ENTRIES; i++) {
            const int32_t len = fc_get(handle, key, name(key, 'n', i), read_bytes,
                                       sizeof read_bytes, FC_PEEK, NULL);
            if (len == FC_MISS) continue; /* evicted by the others */
            fill_value(wanted_bytes, NEW, i);
            CHECK(len == (int32_t)NEW && memcmp(read_bytes, wanted_bytes, NEW) == 0,
                  "%s was changed by a reader that stood still at instruction %" PRIu32, key,
                  instruction);
        }
        verify(handle);
    }
    traced_kill(&reader);
    CHECK_STATUS(FC_OK, fc_close(handle));
    return is_inside;
}

/* -------------------------------------------------------------------- a deadline */

static bool deadline_moved_at(uint32_t instruction, bool by_touch) {
    const uint32_t handle = private_open(FC_SIZE_MIN, 1, 0);
    subject->key_len = name(subject->key, 'd', 0);
    traced reader = reader_start(handle);
    const uint64_t expires_us = os_uptime_us() + TTL_MS * 1000; /* at the earliest */
    set(handle, 'd', 0, SMALL, TTL_MS);
    const uint64_t expired_us = os_uptime_us() + (TTL_MS + 1) * 1000;
    const bool is_inside = step_to(&reader, instruction);
    if (is_inside) {
        if (by_touch)
            (void)fc_touch(handle, subject->key, subject->key_len, LATER_MS);
        else
            set(handle, 'd', 0, SMALL, LATER_MS);
        /* On a machine that is busy the steps may have taken too long. */
        const bool lived = os_uptime_us() < expires_us - 1000;
        while (os_uptime_us() < expired_us) os_sleep_us(1000);
        traced_finish(&reader);
        in_time += lived;
        CHECK(!lived || reader.page->result == (int32_t)SMALL,
              "status %d at instruction %" PRIu32 ": an entry that lives was missed",
              reader.page->result, instruction);
    }
    traced_kill(&reader);
    CHECK_STATUS(FC_OK, fc_close(handle));
    return is_inside;
}

/* ------------------------------------------------------------------------ tests */

static uint32_t stride = 1;

static uint32_t a_reader_changes_no_record_when_its_word_is_none_any_more(void) {
    uint32_t points = 0;
    for (uint32_t i = 0; place_reused_at(i); i += stride) points++;
    return points;
}

static uint32_t a_reader_finds_what_lives_when_a_deadline_moves(void) {
    uint32_t points = 0;
    in_time = 0;
    for (uint32_t i = 0; deadline_moved_at(i, points % 2 == 0); i += stride) points++;
    CHECK(in_time > 0, "no entry lived until its reader was stopped, of %" PRIu32, points);
    return in_time;
}

#define TEST_POINTS(name)                                                              \
    do {                                                                               \
        const uint32_t points = name();                                                \
        printf("ok %u - " #name ": %" PRIu32 " instructions\n", ++test_count, points); \
        fflush(stdout);                                                                \
    } while (0)

int main(int argc, char **argv) {
    traced_forget_clock_page(argv);
    if (argc == 3 && !strcmp(argv[1], "--stride"))
        stride = (uint32_t)strtoul(argv[2], NULL, 10);
    else if (argc != 1)
        return fprintf(stderr, "usage: reader [--stride N]\n"), 2;
    CHECK(stride > 0, "a stride of 0");
    subject = traced_outside(TRACED_BLOCK);
    TEST_POINTS(a_reader_changes_no_record_when_its_word_is_none_any_more);
    TEST_POINTS(a_reader_finds_what_lives_when_a_deadline_moves);
    return TESTS_DONE();
}
