/* SPDX-License-Identifier: MIT
 *
 * arguments_test.c: every call refuses what it cannot work with by a status of its own, has changed
 * nothing then, and answers FC_CLOSED for a handle that is closed.
 */
#include "harness.h"

#include <math.h>

static uint32_t handle;

static int32_t set_key(const void *key, uint32_t key_len, uint32_t type, uint32_t mode,
                       double ttl_ms, double version) {
    return fc_set(handle, key, key_len, "new", 3, type, mode, ttl_ms, version);
}

/* What was there before is there, and nothing else. */
static void unchanged(void) {
    char value[8];
    double entries, ttl_ms;
    CHECK(fc_get(handle, "key", 3, value, sizeof value, 0, NULL) == 3 && !memcmp(value, "old", 3),
          "the value was changed");
    CHECK_STATUS(FC_OK, fc_ttl(handle, "key", 3, &ttl_ms));
    CHECK(ttl_ms == (double)INFINITY, "%f ms left", ttl_ms);
    CHECK_STATUS(FC_OK, fc_size(handle, &entries));
    CHECK(entries == 1, "%f entries", entries);
}

static void begin(void) {
    handle = private_open(1 << 20, 1, 0);
    CHECK_STATUS(FC_OK, fc_set(handle, "key", 3, "old", 3, FC_TYPE_BYTES, FC_SET, 0, 0));
}
static void end(void) {
    unchanged();
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void every_status_has_a_text(void) {
    CHECK(fc_abi_version() == FC_ABI_VERSION, "version %d", fc_abi_version());
#define SAME(name, value, meaning)                                                           \
    CHECK(FC_##name == (value) && strcmp(fc_status_text(FC_##name), meaning) == 0, "%s: %s", \
          #name, fc_status_text(FC_##name));
    FC_STATUS_TABLE(SAME)
#undef SAME
    CHECK(strcmp(fc_status_text(1), "unknown status") == 0, "%s", fc_status_text(1));
    CHECK(strcmp(fc_status_text(-15), "unknown status") == 0, "%s", fc_status_text(-14));
}

static void keys_have_1_to_1024_bytes(void) {
    static const uint8_t key[FC_KEY_LEN_MAX + 1];
    const uint32_t lens[] = {0, FC_KEY_LEN_MAX + 1};
    begin();
    for (int i = 0; i < 2; i++) {
        const int32_t wanted = i ? FC_KEY_TOO_LONG : FC_INVALID_ARGUMENT;
        double number;
        char value[8];
        CHECK_STATUS(wanted, set_key(key, lens[i], FC_TYPE_BYTES, FC_SET, 0, 0));
        CHECK_STATUS(wanted, fc_get(handle, key, lens[i], value, sizeof value, 0, NULL));
        CHECK_STATUS(wanted, fc_has(handle, key, lens[i]));
        CHECK_STATUS(wanted, fc_ttl(handle, key, lens[i], &number));
        CHECK_STATUS(wanted, fc_touch(handle, key, lens[i], 0));
        CHECK_STATUS(wanted, fc_delete(handle, key, lens[i]));
        CHECK_STATUS(wanted, fc_increment(handle, key, lens[i], 1, 0, 0, &number));
    }
    unchanged();
    CHECK_STATUS(FC_OK, set_key(key, FC_KEY_LEN_MAX, FC_TYPE_BYTES, FC_SET, 0, 0));
    CHECK_STATUS(FC_OK, fc_delete(handle, key, FC_KEY_LEN_MAX));
    end();
}

static void times_are_numbers_and_not_too_far_away(void) {
    const double bad[] = {(double)NAN, FC_TTL_MS_MAX + 1};
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double sum;
        CHECK_STATUS(FC_INVALID_ARGUMENT, set_key("key", 3, FC_TYPE_BYTES, FC_SET, bad[i], 0));
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_touch(handle, "key", 3, bad[i]));
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_increment(handle, "n", 1, 1, 0, bad[i], &sum));
    }
    unchanged();
    CHECK_STATUS(FC_OK, fc_touch(handle, "key", 3, FC_TTL_MS_MAX));
    CHECK_STATUS(FC_OK, fc_touch(handle, "key", 3, 0));
    end();
}

static void types_modes_and_versions_are_of_their_range(void) {
    const double bad[] = {-1, (double)NAN, 0x1p53};
    begin();
    CHECK_STATUS(FC_INVALID_ARGUMENT, set_key("key", 3, FC_TYPE_MAX + 1, FC_SET, 0, 0));
    CHECK_STATUS(FC_INVALID_ARGUMENT, set_key("key", 3, 0, FC_SET_IF_LEASE + 1, 0, 0));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STATUS(FC_INVALID_ARGUMENT, set_key("key", 3, 0, FC_SET_IF_VERSION, 0, bad[i]));
    CHECK_STATUS(FC_MISS, set_key("key", 3, FC_TYPE_CODEC, FC_SET_IF_VERSION, 0, 0x1p53 - 1));
    end();
}

static void only_finite_numbers_are_added_and_only_to_numbers(void) {
    begin();
    double sum = 7;
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_increment(handle, "n", 1, INFINITY, 0, 0, &sum));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_increment(handle, "n", 1, 1, INFINITY, 0, &sum));
    CHECK_STATUS(FC_MISS, fc_increment(handle, "n", 1, 1, NAN, 0, &sum)); /* only if it is there */
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_increment(handle, "key", 3, 1, 0, 0, &sum));
    /* Nor to what bears the type without being one. */
    CHECK_STATUS(FC_OK, fc_set(handle, "n", 1, "1", 1, FC_TYPE_NUMBER, FC_SET, 0, 0));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_increment(handle, "n", 1, 1, 0, 0, &sum));
    CHECK(sum == 7, "the result was changed");
    CHECK_STATUS(FC_OK, fc_delete(handle, "n", 1));
    end();
}

static void a_value_that_does_not_fit_tells_its_length_and_is_not_used(void) {
    begin();
    const fc_stats_fields before = stats_of(handle);
    char value[2] = {'.', '.'};
    fc_item item = {0};
    CHECK_STATUS(FC_BUFFER_TOO_SMALL, fc_get(handle, "key", 3, value, sizeof value, 0, &item));
    CHECK(item.value_len == 3 && item.version > 0 && item.ttl_ms == (double)INFINITY, "%u bytes",
          item.value_len);
    CHECK_STATUS(FC_MISS, fc_get(handle, "none", 4, value, sizeof value, FC_PEEK, &item));
    CHECK(item.value_len == 3 && value[0] == '.', "a miss wrote something");
    const fc_stats_fields after = stats_of(handle);
    CHECK(after.hits == before.hits && after.misses == before.misses, "it was counted");
    end();
}

static void an_iteration_needs_room_for_a_page(void) {
    begin();
    static uint8_t page[FC_ITERATE_CAPACITY_MIN];
    fc_cursor cursor = {{0}};
    uint32_t used = 7;
    CHECK_STATUS(FC_BUFFER_TOO_SMALL, fc_iterate(handle, &cursor, page, sizeof page - 1, &used));
    CHECK(used == 7 && cursor.word[1] == 0, "it went on");
    CHECK(fc_iterate(handle, &cursor, page, sizeof page, &used) == 1 && used == 8, "%u", used);
    CHECK_STATUS(FC_MISS, fc_iterate(handle, &cursor, page, sizeof page, &used));
    end();
}

static void null_pointers_are_refused(void) {
    fc_options options = {.struct_size = sizeof options, .kind = FC_KIND_PRIVATE};
    fc_report report;
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_open(NULL, NULL, 0, &report));
    CHECK(strstr(report.message, "null"), "%s", report.message);
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_open(&options, NULL, 0, NULL));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_open(&options, NULL, 1, &report));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_destroy(FC_KIND_SHM, NULL, 0, &report));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_destroy(FC_KIND_SHM, "a/b", 3, NULL));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_list(NULL, 1));
}

static void options_out_of_range_are_refused(void) {
    const fc_options good = {.struct_size = sizeof good,
                             .kind = FC_KIND_PRIVATE,
                             .create = FC_CREATE_OR_ATTACH,
                             .size_bytes = FC_SIZE_MIN};
    fc_report report;
    fc_options bad[7];
    for (int i = 0; i < 7; i++) bad[i] = good;
    bad[0].struct_size--;
    bad[1].kind = FC_KIND_FD + 1;
    bad[2].create = FC_CREATE_EXCLUSIVE + 1;
    bad[3].on_mismatch = 3;
    bad[4].eviction = FC_EVICTION_S3FIFO + 1;
    bad[5].create = FC_ATTACH;
    bad[6].size_bytes = 0;
    static const char *const words[] = {"header",   "kind 4",     "create 3", "on_mismatch 3",
                                        "number 3", "descriptor", "size"};
    for (int i = 0; i < 7; i++) {
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_open(&bad[i], NULL, 0, &report));
        CHECK(strstr(report.message, words[i]), "\"%s\" does not say \"%s\"", report.message,
              words[i]);
        CHECK(report.handle == 0 && report.message_len == strlen(report.message), "%u",
              report.message_len);
    }
}

static void a_closed_handle_answers_closed_to_every_call(void) {
    begin();
    end();
    static uint64_t memory[1024];
    fc_info_fields info;
    fc_stats_fields stats;
    fc_report report;
    fc_cursor cursor = {{0}};
    uint32_t done, removed;
    double number;
    const int32_t answers[] = {
        fc_close(handle),
        fc_info(handle, &info),
        fc_stats(handle, &stats),
        fc_size(handle, &number),
        fc_verify(handle, &report),
        fc_clear(handle),
        fc_get(handle, "k", 1, memory, 8, 0, NULL),
        set_key("k", 1, FC_TYPE_BYTES, FC_SET, 0, 0),
        fc_delete(handle, "k", 1),
        fc_has(handle, "k", 1),
        fc_increment(handle, "k", 1, 1, 0, 0, &number),
        fc_touch(handle, "k", 1, 0),
        fc_ttl(handle, "k", 1, &number),
        fc_get_many(handle, memory, 8, 1, memory, 8, 0),
        fc_set_many(handle, memory, 8, 1, &done),
        fc_delete_many(handle, memory, 8, 1, &done, &removed),
        fc_iterate(handle, &cursor, memory, sizeof memory, &done),
        fc_bind(handle, FC_REGION_REQUEST, memory, sizeof memory),
        fc_io_get(handle, 1, 0),
        fc_io_peek(handle, 1, 0),
        fc_io_get_into(handle, 1, memory, 8, 0),
        fc_io_set(handle, 1, 1),
        fc_io_set_from(handle, 1, memory, 1),
        fc_io_delete(handle, 1),
        fc_io_has(handle, 1),
        fc_io_increment(handle, 1, 1),
        fc_io_touch(handle, 1, 0),
        fc_io_ttl(handle, 1),
        fc_io_get_many(handle, 1, 8, 0, 0),
        fc_io_set_many(handle, 1, 8),
        fc_io_delete_many(handle, 1, 8),
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        CHECK(answers[i] == FC_CLOSED, "call %zu answers %d", i, answers[i]);
}

int main(void) {
    TEST(every_status_has_a_text);
    TEST(keys_have_1_to_1024_bytes);
    TEST(times_are_numbers_and_not_too_far_away);
    TEST(types_modes_and_versions_are_of_their_range);
    TEST(only_finite_numbers_are_added_and_only_to_numbers);
    TEST(a_value_that_does_not_fit_tells_its_length_and_is_not_used);
    TEST(an_iteration_needs_room_for_a_page);
    TEST(null_pointers_are_refused);
    TEST(options_out_of_range_are_refused);
    TEST(a_closed_handle_answers_closed_to_every_call);
    return TESTS_DONE();
}
