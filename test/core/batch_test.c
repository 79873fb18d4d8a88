/* SPDX-License-Identifier: MIT
 *
 * batch_test.c: batches that are not what they should be: records that reach beyond the request,
 * keys, types and times out of range. What came before is done and counted, the rest is not.
 */
#include <math.h>

#include "harness.h"

static uint8_t request[1 << 16], response[1 << 16];
static uint32_t len;

static void add_key_of(const void *key, uint32_t key_len) {
    const fc_packed_key header = {key_len};
    memcpy(request + len, &header, sizeof header);
    if (key_len <= 2 * FC_KEY_LEN_MAX) memcpy(request + len + sizeof header, key, key_len);
    len += ((uint32_t)sizeof header + key_len + FC_PACKED_KEY_UNIT - 1) & ~(FC_PACKED_KEY_UNIT - 1);
}
static void add_key(uint32_t number) { add_key_of(&number, sizeof number); }

static void add_entry_of(uint32_t number, fc_packed_entry header) {
    memcpy(request + len, &header, sizeof header);
    memcpy(request + len + sizeof header, &number, sizeof number);
    memset(request + len + sizeof header + header.key_len, 'v', header.value_len);
    len +=
        ((uint32_t)sizeof header + header.key_len + header.value_len + FC_PACKED_ENTRY_UNIT - 1) &
        ~(FC_PACKED_ENTRY_UNIT - 1);
}
static void add_entry(uint32_t number) {
    add_entry_of(number, (fc_packed_entry){.key_len = 4, .value_len = 3});
}

static uint32_t count_there(uint32_t handle, uint32_t limit) {
    uint32_t there = 0;
    for (uint32_t i = 0; i < limit; i++) there += fc_has(handle, &i, sizeof i) == FC_OK;
    return there;
}

/* Of `count` records one after the other the last byte is missing, or all but the first `cut`. */
static void records_that_reach_beyond_the_request_are_refused(void) {
    const uint32_t handle = private_open(1 << 20, 1, 0);
    for (uint32_t count = 1; count <= 40; count++) {
        uint32_t done, removed;
        len = 0;
        for (uint32_t i = 0; i < count - 1; i++) add_entry(i);
        const uint32_t whole = len;
        add_entry(count - 1);
        /* The key's last byte, the value's last byte, the header's. */
        const uint32_t missing[] = {whole + 24 + 3, whole + 24 + 6, whole + 23, whole};
        for (int i = 0; i < 4; i++) {
            CHECK_STATUS(FC_OK, fc_clear(handle));
            CHECK_STATUS(FC_INVALID_ARGUMENT,
                         fc_set_many(handle, request, missing[i], count, &done));
            /* What is not worked on is not stored, and all before it is counted. */
            CHECK(done == count_there(handle, count) && done < count && done + 16 >= count,
                  "%u of %u done, %u there", done, count, count_there(handle, count));
        }
        CHECK_STATUS(FC_OK, fc_set_many(handle, request, whole + 24 + 7, count, &done));
        CHECK(done == count && count_there(handle, count) == count, "%u done", done);

        len = 0;
        for (uint32_t i = 0; i < count; i++) add_key(i);
        for (uint32_t cut = 1; cut <= 8; cut++) {
            CHECK_STATUS(FC_INVALID_ARGUMENT, fc_get_many(handle, request, len - cut, count,
                                                          response, sizeof response, 0));
        }
        CHECK_STATUS(FC_INVALID_ARGUMENT,
                     fc_delete_many(handle, request, len - 1, count, &done, &removed));
        CHECK(done == removed && removed == count - count_there(handle, count) && done < count,
              "%u done, %u removed", done, removed);
        CHECK_STATUS(FC_INVALID_ARGUMENT,
                     fc_delete_many(handle, request, len - 8, count, &done, &removed));
    }
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

/* Lengths that would wrap in 32 bits, or lead far away. */
static void lengths_that_no_request_has_are_refused(void) {
    const uint32_t handle = private_open(1 << 20, 1, 0);
    const uint32_t lens[] = {UINT32_MAX, UINT32_MAX - 3, UINT32_MAX - 24, 1u << 31, 61, 60};
    uint32_t done, removed;
    for (int i = 0; i < 6; i++) {
        memset(request, 0, 64);
        memcpy(request, &lens[i], 4);
        const bool fits = lens[i] == 60;
        const int32_t got = fc_get_many(handle, request, 64, 1, response, sizeof response, 0);
        CHECK(got == (fits ? 1 : FC_INVALID_ARGUMENT), "%d for %u", got, lens[i]);
        const int32_t gone = fc_delete_many(handle, request, 64, 1, &done, &removed);
        CHECK(gone == (fits ? FC_OK : FC_INVALID_ARGUMENT) && removed == 0, "%d", gone);
        for (int at = 0; at < 2; at++) { /* as the key's length, as the value's */
            const fc_packed_entry entry = {.key_len = at ? 4 : lens[i],
                                           .value_len = at ? lens[i] : 4};
            memcpy(request, &entry, sizeof entry);
            const int32_t put = fc_set_many(handle, request, 24 + 64, 1, &done);
            CHECK(put == (fits ? FC_OK : FC_INVALID_ARGUMENT) && done == fits, "%d", put);
        }
    }
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void a_bad_entry_ends_the_batch_and_those_before_it_are_stored(void) {
    const fc_packed_entry bad[] = {
        {.key_len = 0, .value_len = 3},
        {.key_len = FC_KEY_LEN_MAX + 1, .value_len = 3},
        {.key_len = 4, .value_len = 3, .type = FC_TYPE_MAX + 1},
        {.key_len = 4, .value_len = 3, .ttl_ms = (double)NAN},
        {.key_len = 4, .value_len = 3, .ttl_ms = FC_TTL_MS_MAX * 2},
    };
    for (int i = 0; i < 5; i++) {
        const uint32_t handle = private_open(1 << 20, 1, 0);
        uint32_t done;
        len = 0;
        for (uint32_t number = 0; number < 20; number++) add_entry(number);
        add_entry_of(20, bad[i]);
        add_entry(21);
        CHECK_STATUS(i == 1 ? FC_KEY_TOO_LONG : FC_INVALID_ARGUMENT,
                     fc_set_many(handle, request, len, 22, &done));
        CHECK(done == 20 && count_there(handle, 22) == 20, "%u done", done);
        verify(handle);
        CHECK_STATUS(FC_OK, fc_close(handle));
    }
}

static void a_bad_key_is_answered_by_its_status_or_ends_the_deletion(void) {
    static const uint8_t zeros[FC_KEY_LEN_MAX + 1];
    const uint32_t lens[] = {0, FC_KEY_LEN_MAX + 1};
    const uint32_t handle = private_open(1 << 20, 1, 0);
    for (int i = 0; i < 2; i++) {
        const int32_t wanted = i ? FC_KEY_TOO_LONG : FC_INVALID_ARGUMENT;
        uint32_t done, removed;
        len = 0;
        add_entry(0);
        add_entry(2);
        CHECK_STATUS(FC_OK, fc_set_many(handle, request, len, 2, &done));
        len = 0;
        add_key(0);
        add_key_of(zeros, lens[i]);
        add_key(2);
        CHECK(fc_get_many(handle, request, len, 3, response, sizeof response, 0) == 3, "not all");
        const fc_packed_answer *second = (const void *)(response + 16 + 8);
        const fc_packed_answer *third = (const void *)(response + 16 + 8 + 16);
        CHECK(second->length == wanted && third->length == 3, "%d, then %d", second->length,
              third->length);
        CHECK_STATUS(wanted, fc_delete_many(handle, request, len, 3, &done, &removed));
        CHECK(done == 1 && removed == 1 && count_there(handle, 3) == 1, "%u done", done);
    }
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void an_answer_that_does_not_fit_ends_the_batch(void) {
    const uint32_t handle = private_open(1 << 20, 1, 0);
    uint32_t done, told;
    len = 0;
    for (uint32_t number = 0; number < 20; number++) add_entry(number);
    CHECK_STATUS(FC_OK, fc_set_many(handle, request, len, 20, &done));
    len = 0;
    for (uint32_t number = 0; number < 20; number++) add_key(number);
    /* Each takes 16 + 3 bytes, and padding to 24, but at the very end. */
    for (uint32_t capacity = 0; capacity < 500; capacity++) {
        memset(response, 0xee, sizeof response);
        const int32_t got = fc_get_many(handle, request, len, 20, response, capacity, 0);
        const uint32_t fit = (capacity + 5) / 24;
        if (fit > 0) {
            CHECK(got == (int32_t)(fit < 20 ? fit : 20), "%d answers in %u bytes", got, capacity);
        } else {
            CHECK_STATUS(FC_BUFFER_TOO_SMALL, got);
            memcpy(&told, response, 4);
            const uint32_t needed = capacity < 4 ? 0xeeeeeeee : capacity < 16 ? 16 : 24;
            CHECK(told == needed, "%u bytes are told, with %u", told, capacity);
        }
        CHECK(response[capacity] == 0xee, "byte %u was written", capacity);
    }
    CHECK_STATUS(FC_OK, fc_close(handle));
}

int main(void) {
    TEST(records_that_reach_beyond_the_request_are_refused);
    TEST(lengths_that_no_request_has_are_refused);
    TEST(a_bad_entry_ends_the_batch_and_those_before_it_are_stored);
    TEST(a_bad_key_is_answered_by_its_status_or_ends_the_deletion);
    TEST(an_answer_that_does_not_fit_ends_the_batch);
    return TESTS_DONE();
}
