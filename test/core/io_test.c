/* SPDX-License-Identifier: MIT
 *
 * io_test.c: the calls that pass numbers only do what those with pointers do, between the two
 * regions bound to the handle; whatever reaches beyond a region is refused.
 */
#include "harness.h"

#include <math.h>

#define REQUEST_BYTES (FC_IO_VALUE + 512u)
#define RESPONSE_BYTES 256u

static uint64_t request[REQUEST_BYTES / 8], response[RESPONSE_BYTES / 8];
static uint32_t handle;

static fc_control *control(void) { return (fc_control *)(void *)request; }
static uint8_t *value_at(void) { return (uint8_t *)request + FC_IO_VALUE; }

static double key_is(const char *key) {
    memcpy((uint8_t *)request + FC_IO_KEY, key, strlen(key));
    return (double)strlen(key);
}

static void begin(void) {
    handle = private_open(1 << 20, 1, 0);
    memset(request, 0, sizeof request);
    memset(response, 0, sizeof response);
    CHECK_STATUS(FC_OK, fc_bind(handle, FC_REGION_REQUEST, request, sizeof request));
    CHECK_STATUS(FC_OK, fc_bind(handle, FC_REGION_RESPONSE, response, sizeof response));
}
static void end(void) {
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void set_text(const char *key, const char *text) {
    memcpy(value_at(), text, strlen(text));
    control()->type = FC_TYPE_ASCII;
    control()->mode = FC_SET;
    control()->ttl_ms = 0;
    CHECK_STATUS(FC_OK, fc_io_set(handle, key_is(key), (double)strlen(text)));
}

static void what_is_set_is_got_with_its_type_length_and_version(void) {
    begin();
    set_text("key", "hello");
    control()->type = 99;
    CHECK(fc_io_get(handle, key_is("key"), 16) == 5, "no hit");
    CHECK(memcmp((uint8_t *)response + 16, "hello", 5) == 0, "another value");
    const double version = control()->version;
    CHECK(control()->type == FC_TYPE_ASCII && control()->value_len == 5 && version > 0, "type %u",
          control()->type);
    char own[8];
    CHECK(fc_io_get_into(handle, 3, own, sizeof own, 0) == 5 && !memcmp(own, "hello", 5), "no hit");
    /* The version may now be asked for. */
    memcpy(value_at(), "world", 5);
    control()->mode = FC_SET_IF_VERSION;
    CHECK_STATUS(FC_OK, fc_io_set(handle, 3, 5));
    control()->version = version;
    CHECK_STATUS(FC_MISS, fc_io_set(handle, 3, 5));
    /* Elsewhere it is not looked at. */
    control()->mode = FC_SET;
    control()->version = -1;
    CHECK_STATUS(FC_OK, fc_io_set_from(handle, 3, "there", 5));
    CHECK(fc_io_peek(handle, 3, 0) == 5 && !memcmp(response, "there", 5), "another value");
    const fc_stats_fields stats = stats_of(handle);
    CHECK(stats.hits == 2 && stats.misses == 0, "%" PRIu64 " hits; a peek is none", stats.hits);
    end();
}

static void a_value_too_large_for_the_rest_of_the_region_tells_its_length(void) {
    begin();
    set_text("key", "hello");
    control()->value_len = 0;
    CHECK_STATUS(FC_BUFFER_TOO_SMALL, fc_io_get(handle, 3, RESPONSE_BYTES - 4));
    CHECK(control()->value_len == 5, "%u bytes", control()->value_len);
    CHECK(fc_io_get(handle, 3, RESPONSE_BYTES - 5) == 5, "it fits");
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_get(handle, 3, RESPONSE_BYTES + 1));
    control()->value_len = 77;
    CHECK_STATUS(FC_MISS, fc_io_get(handle, key_is("none"), RESPONSE_BYTES));
    CHECK(control()->value_len == 77, "a miss wrote something");
    end();
}

static void the_other_operations_on_a_key(void) {
    begin();
    set_text("key", "hello");
    CHECK_STATUS(FC_OK, fc_io_has(handle, 3));
    CHECK_STATUS(FC_OK, fc_io_ttl(handle, 3));
    CHECK(control()->ttl_ms == (double)INFINITY, "%f ms", control()->ttl_ms);
    CHECK_STATUS(FC_OK, fc_io_touch(handle, 3, 60000));
    CHECK_STATUS(FC_OK, fc_io_ttl(handle, 3));
    CHECK(control()->ttl_ms > 30000 && control()->ttl_ms <= 60000, "%f ms", control()->ttl_ms);
    CHECK_STATUS(FC_OK, fc_io_delete(handle, 3));
    CHECK_STATUS(FC_MISS, fc_io_delete(handle, 3));
    CHECK_STATUS(FC_MISS, fc_io_has(handle, 3));
    control()->initial = 40;
    control()->ttl_ms = 0;
    CHECK_STATUS(FC_OK, fc_io_increment(handle, key_is("n"), 1.5));
    CHECK(control()->sum == 41.5, "%f", control()->sum);
    CHECK_STATUS(FC_OK, fc_io_increment(handle, 1, 0.5));
    CHECK(control()->sum == 42, "%f", control()->sum);
    end();
}

static void pack_key(uint8_t **at, const char *key) {
    const fc_packed_key header = {(uint32_t)strlen(key)};
    memcpy(*at, &header, sizeof header);
    memcpy(*at + sizeof header, key, header.key_len);
    *at += (sizeof header + header.key_len + 3) / 4 * 4;
}

static void batches_lie_where_values_lie(void) {
    begin();
    const fc_packed_entry entry = {.key_len = 1, .value_len = 2, .type = FC_TYPE_ASCII};
    for (uint32_t i = 0; i < 2; i++) {
        memcpy(value_at() + 32 * i, &entry, sizeof entry);
        memcpy(value_at() + 32 * i + sizeof entry, i ? "bBB" : "aAA", 3);
    }
    CHECK_STATUS(FC_OK, fc_io_set_many(handle, 2, 64));
    CHECK(control()->done == 2, "%u done", control()->done);
    uint8_t *at = value_at();
    pack_key(&at, "b");
    pack_key(&at, "none");
    pack_key(&at, "a");
    const uint32_t len = (uint32_t)(at - value_at());
    CHECK(fc_io_get_many(handle, 3, len, 8, 0) == 3, "not all are answered");
    const fc_packed_answer *answers = (const void *)((uint8_t *)response + 8);
    CHECK(answers->length == 2 && memcmp(answers + 1, "BB", 2) == 0, "b has another value");
    CHECK(((const fc_packed_answer *)(const void *)((uint8_t *)response + 32))->length == FC_MISS,
          "there is a value");
    CHECK_STATUS(FC_OK, fc_io_delete_many(handle, 3, len));
    CHECK(control()->done == 3 && control()->removed == 2, "%u done, %u removed", control()->done,
          control()->removed);
    end();
}

static void what_reaches_beyond_a_region_is_refused(void) {
    begin();
    const uint32_t room = REQUEST_BYTES - FC_IO_VALUE;
    control()->type = FC_TYPE_BYTES;
    CHECK_STATUS(FC_OK, fc_io_set(handle, key_is("key"), room));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_set(handle, 3, room + 1));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_get_many(handle, 1, room + 1, 0, 0));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_get_many(handle, 1, room, RESPONSE_BYTES + 1, 0));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_set_many(handle, 1, room + 1));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_delete_many(handle, 1, room + 1));
    /* Numbers that are no uint32_t are out of every range. */
    const double none[] = {-1, (double)NAN, 0x1p32, (double)INFINITY};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        CHECK_STATUS(FC_CLOSED, fc_io_has(none[i], 3));
        CHECK_STATUS(FC_KEY_TOO_LONG, fc_io_has(handle, none[i]));
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_get(handle, 3, none[i]));
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_set(handle, 3, none[i]));
    }
    end();
}

static void only_memory_of_the_right_kind_is_bound(void) {
    handle = private_open(1 << 20, 1, 0);
    uint8_t *odd = (uint8_t *)request + 4;
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_bind(handle, FC_REGION_REQUEST, NULL, sizeof request));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_bind(handle, FC_REGION_REQUEST, odd, sizeof request - 8));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_bind(handle, FC_REGION_REQUEST, request, FC_IO_VALUE - 1));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_bind(handle, 2, request, sizeof request));
    /* Both have to be there before anything is done. */
    for (int bound = 0; bound < 2; bound++) {
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_get(handle, 1, 0));
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_get_into(handle, 1, response, 8, 0));
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_set(handle, 1, 1));
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_set_from(handle, 1, response, 1));
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_delete(handle, 1));
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_has(handle, 1));
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_increment(handle, 1, 1));
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_touch(handle, 1, 0));
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_ttl(handle, 1));
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_get_many(handle, 1, 8, 0, 0));
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_set_many(handle, 1, 8));
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_delete_many(handle, 1, 8));
        CHECK_STATUS(FC_OK, fc_bind(handle, FC_REGION_REQUEST, request, FC_IO_VALUE));
    }
    CHECK_STATUS(FC_OK, fc_bind(handle, FC_REGION_RESPONSE, response, 0));
    CHECK_STATUS(FC_MISS, fc_io_has(handle, 1));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_set(handle, 1, 1)); /* no room for a value */
    CHECK_STATUS(FC_OK, fc_io_set(handle, 1, 0));
    end();
}

/* Whatever its memory was before. */
static void a_handle_begins_with_nothing_bound(void) {
    for (int i = 0; i < 3; i++) {
        begin();
        end();
        handle = private_open(1 << 20, 1, 0);
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_io_has(handle, 1));
        end();
    }
}

int main(void) {
    TEST(what_is_set_is_got_with_its_type_length_and_version);
    TEST(a_value_too_large_for_the_rest_of_the_region_tells_its_length);
    TEST(the_other_operations_on_a_key);
    TEST(batches_lie_where_values_lie);
    TEST(what_reaches_beyond_a_region_is_refused);
    TEST(only_memory_of_the_right_kind_is_bound);
    TEST(a_handle_begins_with_nothing_bound);
    return TESTS_DONE();
}
