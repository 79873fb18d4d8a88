/* SPDX-License-Identifier: MIT
 *
 * lease_test.c: of those who want a key's value one computes it; the others wait, are woken, and
 * take over from the dead; and what was computed from old data is not stored (contract F). Handles
 * stand for processes: each has a slot of its own.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <math.h>
#include <pthread.h>
#include <unistd.h>

#include "cache.h"
#include "handle.h"
#include "lease.h"

#define LEASE_MS 30000.0
#define ABSENT 0.0

static uint32_t attach(uint32_t to) {
    fc_info_fields info;
    CHECK_STATUS(FC_OK, fc_info(to, &info));
    const fc_options options = {
        .struct_size = sizeof options, .kind = FC_KIND_FD, .fd = (int32_t)info.fd};
    fc_report report;
    CHECK(fc_open(&options, NULL, 0, &report) == FC_OK, "%s", report.message);
    handle_get(report.handle)->attachment->thread = ANOTHER_THREAD;
    return report.handle;
}

static uint32_t first_process(void) {
    const uint32_t handle = private_open(1 << 20, 1, 0);
    handle_get(handle)->attachment->thread = ANOTHER_THREAD;
    return handle;
}

static int32_t begin(uint32_t handle, const char *key, fc_lease *lease) {
    return fc_lease_begin(handle, key, (uint32_t)strlen(key), LEASE_MS, 0, ABSENT, lease);
}
static int32_t force(uint32_t handle, const char *key, fc_lease *lease) {
    return fc_lease_begin(handle, key, (uint32_t)strlen(key), LEASE_MS, FC_LEASE_FORCE, -1, lease);
}
static int32_t land(uint32_t handle, const char *key, const char *value, double token) {
    return fc_set(handle, key, (uint32_t)strlen(key), value, (uint32_t)strlen(value), FC_TYPE_UTF8,
                  FC_SET_IF_LEASE, 0, token);
}
static int32_t set(uint32_t handle, const char *key, const char *value) {
    return fc_set(handle, key, (uint32_t)strlen(key), value, (uint32_t)strlen(value), FC_TYPE_UTF8,
                  FC_SET, 0, 0);
}
static int32_t end(uint32_t handle, const char *key, double token, uint32_t how, double ms,
                   const char *text) {
    return fc_lease_end(handle, key, (uint32_t)strlen(key), token, how, ms, text,
                        (uint32_t)strlen(text));
}
static bool holds(uint32_t handle, const char *key, const char *value) {
    char seen[64];
    const int32_t len = fc_get(handle, key, (uint32_t)strlen(key), seen, sizeof seen, 0, NULL);
    return len == (int32_t)strlen(value) && memcmp(seen, value, (size_t)len) == 0;
}
static uint64_t leases_in_use(uint32_t handle) {
    return shard_at(handle_get(handle), 0).header->leases_held;
}
static bool is_woken(uint32_t handle, const fc_lease *lease) {
    const int32_t kinds = fc_wait(handle, 0);
    CHECK(kinds >= 0, "status %d", kinds);
    return (uint32_t)kinds & lease->kind;
}

static void one_computes_and_the_others_wait(void) {
    const uint32_t a = first_process(), b = attach(a);
    fc_lease mine, theirs;
    CHECK_STATUS(FC_LEASE_TAKEN, begin(a, "k", &mine));
    CHECK_STATUS(FC_LEASE_HELD, begin(b, "k", &theirs));
    CHECK(theirs.token == mine.token && theirs.left_ms > LEASE_MS - 10000 &&
              theirs.left_ms <= LEASE_MS + 1,
          "%f ms are left", theirs.left_ms);
    CHECK_STATUS(FC_LEASE_TAKEN, begin(b, "another", &theirs));
    CHECK_STATUS(FC_LEASE_HELD, begin(a, "another", &mine));
    CHECK_STATUS(FC_OK, land(b, "another", "1", theirs.token));
    CHECK_STATUS(FC_LEASE_HELD, begin(b, "k", &theirs));
    CHECK(!is_woken(b, &theirs), "woken although nothing changed");
    CHECK_STATUS(FC_OK, land(a, "k", "value", theirs.token));
    CHECK(is_woken(b, &theirs), "not woken");
    CHECK_STATUS(FC_LEASE_FRESH, begin(b, "k", &theirs));
    CHECK(holds(b, "k", "value"), "the value is not there");
    CHECK(leases_in_use(a) == 0, "%" PRIu64 " leases are left", leases_in_use(a));
    verify(a);
    CHECK_STATUS(FC_OK, fc_close(b));
    CHECK_STATUS(FC_OK, fc_close(a));
}

static void a_lease_may_be_as_short_and_as_long_as_is_allowed(void) {
    const uint32_t a = first_process(), b = attach(a);
    fc_lease lease;
    CHECK_STATUS(FC_LEASE_TAKEN, fc_lease_begin(a, "long", 4, FC_LEASE_MS_MAX, 0, 0, &lease));
    CHECK_STATUS(FC_LEASE_HELD, begin(b, "long", &lease));
    CHECK(fc_wait(b, 0) == 0, "woken although nothing changed");
    CHECK_STATUS(FC_OK, set(b, "another", "value"));
    CHECK_STATUS(FC_LEASE_HELD, begin(b, "long", &lease));
    CHECK(lease.left_ms > FC_LEASE_MS_MAX - 10000, "%f ms are left", lease.left_ms);
    CHECK_STATUS(FC_LEASE_TAKEN, fc_lease_begin(a, "short", 5, 1e-9, 0, 0, &lease));
    usleep(3000);
    CHECK_STATUS(FC_LEASE_TAKEN, begin(b, "short", &lease));
    CHECK_STATUS(FC_OK, fc_close(b));
    CHECK_STATUS(FC_OK, fc_close(a));
}

/* Whoever saw a value may compute the next one; others find the next one. */
static void who_saw_the_present_value_may_refresh_it(void) {
    const uint32_t a = first_process(), b = attach(a);
    fc_lease lease;
    fc_item old;
    CHECK_STATUS(FC_OK, set(a, "k", "old"));
    CHECK_STATUS(FC_LEASE_FRESH, begin(a, "k", &lease));
    CHECK_STATUS(3, fc_get(a, "k", 1, NULL, 0, FC_PEEK, &old) == FC_BUFFER_TOO_SMALL ? 3 : 0);
    CHECK_STATUS(FC_LEASE_TAKEN, fc_lease_begin(a, "k", 1, LEASE_MS, 0, old.version, &lease));
    CHECK_STATUS(FC_OK, land(a, "k", "new", lease.token));
    CHECK_STATUS(FC_LEASE_FRESH, fc_lease_begin(b, "k", 1, LEASE_MS, 0, old.version, &lease));
    CHECK_STATUS(FC_LEASE_TAKEN, fc_lease_begin(b, "k", 1, LEASE_MS, 0, -1, &lease));
    CHECK_STATUS(FC_OK, fc_close(b));
    CHECK_STATUS(FC_OK, fc_close(a));
}

static void store_over(uint32_t h) { CHECK_STATUS(FC_OK, set(h, "k", "theirs")); }
static void store_many(uint32_t h) {
    uint32_t done;
    struct {
        fc_packed_entry header;
        char bytes[8];
    } packed = {{.key_len = 1, .value_len = 6, .type = FC_TYPE_UTF8}, "ktheirs"};
    CHECK_STATUS(FC_OK, fc_set_many(h, &packed, sizeof packed, 1, &done));
}
static void add(uint32_t h) {
    CHECK_STATUS(FC_OK, fc_set(h, "k", 1, "theirs", 6, FC_TYPE_UTF8, FC_SET_IF_ABSENT, 0, 0));
}
static void set_over_at_once(uint32_t h) {
    CHECK_STATUS(FC_OK, fc_set(h, "k", 1, "theirs", 6, FC_TYPE_UTF8, FC_SET, -1, 0));
}
static void count_up(uint32_t h) {
    double sum;
    CHECK_STATUS(FC_OK, fc_increment(h, "k", 1, 1, 0, 0, &sum));
}
static void remove_nothing(uint32_t h) { CHECK_STATUS(FC_MISS, fc_delete(h, "k", 1)); }
static void touch_away(uint32_t h) { CHECK_STATUS(FC_MISS, fc_touch(h, "k", 1, -1)); }
static void clear(uint32_t h) { CHECK_STATUS(FC_OK, fc_clear(h)); }
static void take_it(uint32_t h) {
    fc_lease lease;
    CHECK_STATUS(FC_LEASE_TAKEN, force(h, "k", &lease));
    CHECK_STATUS(FC_OK, land(h, "k", "theirs", lease.token));
}

/* F4: and those who wait look again. */
static void what_was_computed_is_not_stored_once_the_key_has_changed(void) {
    void (*const changes[])(uint32_t) = {store_over,       store_many, add,
                                         set_over_at_once, count_up,   touch_away,
                                         remove_nothing,   clear,      take_it};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        const uint32_t a = first_process(), b = attach(a), c = attach(a);
        fc_lease mine, theirs;
        CHECK_STATUS(FC_LEASE_TAKEN, begin(a, "k", &mine));
        CHECK_STATUS(FC_LEASE_HELD, begin(c, "k", &theirs));
        changes[i](b);
        CHECK(is_woken(c, &theirs), "change %zu woke nobody", i);
        CHECK_STATUS(FC_MISS, land(a, "k", "mine", mine.token));
        CHECK_STATUS(FC_MISS, end(a, "k", mine.token, FC_LEASE_PASS, 0, ""));
        CHECK(!holds(a, "k", "mine"), "change %zu was undone", i);
        CHECK(stats_of(a).leases_fenced == 1, "change %zu: %" PRIu64 " were fenced", i,
              stats_of(a).leases_fenced);
        verify(a);
        CHECK_STATUS(FC_OK, fc_close(c));
        CHECK_STATUS(FC_OK, fc_close(b));
        CHECK_STATUS(FC_OK, fc_close(a));
    }
}

/* What does not change the key's value, or fails to. */
static void reading_touching_and_refused_writes_leave_the_lease(void) {
    const uint32_t a = first_process(), b = attach(a);
    fc_lease mine;
    CHECK_STATUS(FC_LEASE_TAKEN, begin(a, "k", &mine));
    CHECK_STATUS(FC_MISS, fc_get(b, "k", 1, NULL, 0, 0, NULL));
    CHECK_STATUS(FC_MISS, fc_touch(b, "k", 1, 5000));
    CHECK_STATUS(FC_MISS, fc_set(b, "k", 1, "x", 1, FC_TYPE_UTF8, FC_SET_IF_PRESENT, 0, 0));
    CHECK_STATUS(FC_MISS, fc_set(b, "k", 1, "x", 1, FC_TYPE_UTF8, FC_SET_IF_VERSION, 0, 7));
    CHECK_STATUS(FC_MISS, land(b, "k", "x", mine.token + 1));
    for (int i = 0; i < 2000; i++) {
        char key[16];
        snprintf(key, sizeof key, "other-%d", i);
        CHECK_STATUS(FC_OK, set(b, key, "x"));
        (void)fc_delete(b, key, (uint32_t)strlen(key));
    }
    CHECK_STATUS(FC_OK, land(a, "k", "mine", mine.token));
    CHECK_STATUS(FC_MISS, land(a, "k", "again", mine.token));
    CHECK(holds(b, "k", "mine"), "it was not stored");
    CHECK_STATUS(FC_OK, fc_close(b));
    CHECK_STATUS(FC_OK, fc_close(a));
}

static void a_dead_owners_lease_is_taken_over(void) {
    const uint32_t a = first_process(), b = attach(a), late = attach(a);
    fc_lease lease;
    uint32_t dying = attach(a);
    CHECK_STATUS(FC_LEASE_TAKEN, begin(dying, "k", &lease));
    CHECK_STATUS(FC_LEASE_HELD, begin(b, "k", &lease));
    CHECK(fc_wait(b, 0) == 0, "woken although nothing changed");
    CHECK_STATUS(FC_LEASE_HELD, begin(b, "k", &lease));
    const double token = lease.token;
    CHECK_STATUS(FC_OK, fc_close(dying));
    /* Another uses its slot by now. */
    dying = attach(a);
    CHECK(is_woken(b, &lease), "the waiter does not notice");
    CHECK_STATUS(FC_LEASE_TAKEN, begin(b, "k", &lease));
    CHECK_STATUS(FC_MISS, land(dying, "k", "from the dead", token));
    CHECK_STATUS(FC_LEASE_HELD, begin(late, "k", &lease));
    CHECK_STATUS(FC_OK, land(b, "k", "value", lease.token));
    /* Who comes first to a lease of the dead does not wait. */
    CHECK_STATUS(FC_LEASE_TAKEN, begin(dying, "l", &lease));
    CHECK_STATUS(FC_OK, fc_close(dying));
    CHECK_STATUS(FC_LEASE_TAKEN, begin(late, "l", &lease));
    CHECK(stats_of(a).leases_taken_over == 2, "%" PRIu64 " taken over",
          stats_of(a).leases_taken_over);
    verify(a);
    CHECK_STATUS(FC_OK, fc_close(late));
    CHECK_STATUS(FC_OK, fc_close(b));
    CHECK_STATUS(FC_OK, fc_close(a));
}

static void pass_time(uint32_t handle, uint64_t ms) {
    ((cache *)handle_get(handle))->clock_base_ms += ms;
}

static void an_owner_that_is_late_loses_the_lease_to_the_next_and_only_then(void) {
    const uint32_t a = first_process(), b = attach(a);
    fc_lease mine, theirs;
    CHECK_STATUS(FC_LEASE_TAKEN, fc_lease_begin(a, "k", 1, 1000, 0, 0, &mine));
    pass_time(a, 5000);
    CHECK_STATUS(FC_OK, land(a, "k", "late", mine.token));
    CHECK_STATUS(FC_OK, fc_delete(a, "k", 1));
    pass_time(b, 5000);
    CHECK_STATUS(FC_LEASE_TAKEN, fc_lease_begin(a, "k", 1, 1000, 0, 0, &mine));
    CHECK_STATUS(FC_LEASE_HELD, begin(b, "k", &theirs));
    pass_time(b, 5000);
    CHECK_STATUS(FC_LEASE_TAKEN, begin(b, "k", &theirs));
    CHECK_STATUS(FC_MISS, land(a, "k", "too late", mine.token));
    CHECK_STATUS(FC_OK, land(b, "k", "in time", theirs.token));
    CHECK(holds(a, "k", "in time"), "the wrong value");
    CHECK_STATUS(FC_OK, fc_close(b));
    CHECK_STATUS(FC_OK, fc_close(a));
}

static void an_owner_that_passes_the_lease_on_is_followed_by_another(void) {
    const uint32_t a = first_process(), b = attach(a);
    fc_lease mine, theirs;
    CHECK_STATUS(FC_LEASE_TAKEN, begin(a, "k", &mine));
    CHECK_STATUS(FC_LEASE_HELD, begin(b, "k", &theirs));
    CHECK_STATUS(FC_OK, end(a, "k", mine.token, FC_LEASE_PASS, 0, ""));
    CHECK(is_woken(b, &theirs), "not woken");
    CHECK_STATUS(FC_LEASE_TAKEN, begin(b, "k", &theirs));
    CHECK_STATUS(FC_LEASE_HELD, begin(a, "k", &mine));
    CHECK_STATUS(FC_OK, end(b, "k", theirs.token, FC_LEASE_PASS, 0, ""));
    CHECK(leases_in_use(a) == 0, "a lease is left");
    CHECK_STATUS(FC_OK, fc_close(b));
    CHECK_STATUS(FC_OK, fc_close(a));
}

static void a_failure_is_told_with_its_message_until_its_time_is_over(void) {
    char text[FC_LEASE_TEXT_MAX + 1] = {0};
    for (uint32_t len = 0; len <= FC_LEASE_TEXT_MAX; len += 25) {
        const uint32_t a = first_process(), b = attach(a);
        fc_lease mine, theirs;
        memset(text, 'a' + (int)(len % 20), len);
        if (len > 0) text[0] = '!', text[len - 1] = '?';
        CHECK_STATUS(FC_LEASE_TAKEN, begin(a, "k", &mine));
        CHECK_STATUS(FC_LEASE_HELD, begin(b, "k", &theirs));
        CHECK_STATUS(FC_OK, end(a, "k", mine.token, FC_LEASE_FAIL, 500, text));
        CHECK(is_woken(b, &theirs), "not woken");
        CHECK_STATUS(FC_LEASE_FAILED, begin(b, "k", &theirs));
        CHECK(theirs.text_len == len && memcmp(theirs.text, text, len) == 0, "%u bytes: %.*s",
              theirs.text_len, (int)theirs.text_len, theirs.text);
        CHECK(theirs.left_ms > 0 && theirs.left_ms <= 500, "%f ms", theirs.left_ms);
        verify(a);
        const int way_out = (int)(len / 25 % 3);
        if (way_out == 0) pass_time(b, 501);
        if (way_out == 1) CHECK_STATUS(FC_MISS, fc_delete(a, "k", 1));
        CHECK_STATUS(FC_LEASE_TAKEN,
                     way_out == 2 ? force(b, "k", &theirs) : begin(b, "k", &theirs));
        CHECK(leases_in_use(a) == 1, "%" PRIu64 " lines are in use", leases_in_use(a));
        verify(a);
        CHECK_STATUS(FC_OK, fc_close(b));
        CHECK_STATUS(FC_OK, fc_close(a));
    }
}

static void after_a_result_that_is_not_to_be_stored_all_run_at_once(void) {
    const uint32_t a = first_process(), b = attach(a), c = attach(a);
    fc_lease mine, theirs, third;
    CHECK_STATUS(FC_LEASE_TAKEN, begin(a, "k", &mine));
    CHECK_STATUS(FC_LEASE_HELD, begin(b, "k", &theirs));
    CHECK_STATUS(FC_OK, end(a, "k", mine.token, FC_LEASE_GIVE_UP, 10000, ""));
    CHECK(is_woken(b, &theirs), "not woken");
    CHECK_STATUS(FC_LEASE_SHARED, begin(b, "k", &theirs));
    CHECK_STATUS(FC_LEASE_SHARED, begin(c, "k", &third));
    CHECK(theirs.left_ms > 0 && theirs.left_ms <= 10000, "%f ms", theirs.left_ms);
    CHECK_STATUS(FC_MISS, end(b, "k", theirs.token, FC_LEASE_PASS, 0, ""));
    /* The first value ends that; the second is of a run before it. */
    CHECK_STATUS(FC_OK, land(b, "k", "first", theirs.token));
    CHECK_STATUS(FC_MISS, land(c, "k", "second", third.token));
    CHECK_STATUS(FC_OK, fc_delete(a, "k", 1));
    CHECK_STATUS(FC_LEASE_TAKEN, begin(a, "k", &mine));
    CHECK_STATUS(FC_LEASE_HELD, begin(b, "k", &theirs));
    CHECK_STATUS(FC_OK, end(a, "k", mine.token, FC_LEASE_GIVE_UP, 10000, ""));
    CHECK_STATUS(FC_LEASE_SHARED, begin(c, "k", &third));
    CHECK_STATUS(FC_MISS, fc_delete(a, "k", 1));
    CHECK_STATUS(FC_MISS, land(c, "k", "from before the delete", third.token));
    CHECK_STATUS(FC_OK, fc_close(c));
    CHECK_STATUS(FC_OK, fc_close(b));
    CHECK_STATUS(FC_OK, fc_close(a));
}

static void who_waits_is_told_how_often_in_a_row_the_key_was_changed(void) {
    const uint32_t a = first_process(), b = attach(a);
    fc_lease mine, theirs;
    for (uint32_t fenced = 0; fenced < 4; fenced++) {
        CHECK_STATUS(FC_LEASE_TAKEN, begin(a, "k", &mine));
        CHECK_STATUS(FC_LEASE_HELD, begin(b, "k", &theirs));
        CHECK(mine.fenced == fenced && theirs.fenced == fenced, "%u, not %u", theirs.fenced,
              fenced);
        if (fenced == 2)
            CHECK_STATUS(FC_OK, fc_clear(b));
        else
            CHECK_STATUS(FC_MISS, fc_delete(b, "k", 1));
    }
    CHECK_STATUS(FC_LEASE_TAKEN, begin(a, "k", &mine));
    CHECK_STATUS(FC_LEASE_TAKEN, force(b, "k", &theirs));
    CHECK(theirs.fenced == 5, "%u", theirs.fenced);
    CHECK_STATUS(FC_OK, end(b, "k", theirs.token, FC_LEASE_PASS, 0, ""));
    CHECK_STATUS(FC_LEASE_TAKEN, begin(a, "k", &mine));
    CHECK(mine.fenced == 0, "%u", mine.fenced);
    CHECK_STATUS(FC_OK, fc_close(b));
    CHECK_STATUS(FC_OK, fc_close(a));
}

/* F6: a full table refuses, forgets those who are over or dead, and is as good as new afterwards. */
static void a_full_table_refuses_and_makes_room_for_the_living(void) {
    const uint32_t a = first_process(), b = attach(a);
    const uint32_t lines = handle_get(a)->geometry.lease_lines;
    double tokens[2000];
    uint32_t taken = 0;
    fc_lease lease;
    for (uint32_t i = 0; i < 2000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%u", i);
        const int32_t result = begin(b, key, &lease);
        CHECK(result == FC_LEASE_TAKEN || result == FC_LEASE_REFUSED, "%d", result);
        tokens[i] = result == FC_LEASE_TAKEN ? lease.token : 0;
        taken += result == FC_LEASE_TAKEN;
    }
    CHECK(taken == lines, "%u of %u lines", taken, lines);
    for (uint32_t i = 0; i < 2000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%u", i);
        CHECK_STATUS(tokens[i] ? FC_OK : FC_MISS, land(b, key, key, tokens[i]));
    }
    CHECK(leases_in_use(a) == 0, "leases are left");
    for (int died = 1; died >= 0; died--) {
        const uint32_t c = attach(a);
        CHECK_STATUS(FC_OK, fc_clear(a));
        for (uint32_t i = 0; i < 2000; i++) {
            char key[16];
            snprintf(key, sizeof key, "%u", i);
            (void)begin(c, key, &lease);
        }
        CHECK_STATUS(FC_LEASE_REFUSED, begin(a, "k", &lease));
        if (!died) pass_time(a, (uint64_t)LEASE_MS + 100);
        if (died) CHECK_STATUS(FC_OK, fc_close(c));
        CHECK_STATUS(FC_LEASE_TAKEN, begin(a, "k", &lease));
        CHECK_STATUS(FC_OK, land(a, "k", "v", lease.token));
        verify(a);
        if (!died) CHECK_STATUS(FC_OK, fc_close(c));
    }
    CHECK_STATUS(FC_OK, fc_close(b));
    CHECK_STATUS(FC_OK, fc_close(a));
}

/* Whatever the bytes of the table are, calls end, and values are what was stored. */
static void a_damaged_table_costs_runs_only(void) {
    uint64_t random = 18;
    const uint32_t a = first_process(), b = attach(a);
    ((cache *)handle_get(a))->unlocks_until_walk = WALK_NEVER;
    ((cache *)handle_get(b))->unlocks_until_walk = WALK_NEVER;
    const shard s = shard_at(handle_get(a), 0);
    for (int round = 0; round < 3000; round++) {
        uint8_t *bytes = (uint8_t *)s.leases;
        const uint32_t size = s.geometry->lease_lines * CACHE_LINE;
        for (int i = 0; i < 40; i++)
            bytes[random_below(&random, size)] =
                (uint8_t)(i % 2 ? random_next(&random) : random_below(&random, 7));
        if (round % 3 == 0)
            s.header->leases_held = random_next(&random) >> random_below(&random, 64);
        char key[16];
        snprintf(key, sizeof key, "%u", random_below(&random, 50));
        fc_lease lease;
        const int32_t result = begin(b, key, &lease);
        CHECK(result >= 0 && result <= FC_LEASE_REFUSED, "%d", result);
        if (result == FC_LEASE_FAILED)
            CHECK(lease.text_len <= FC_LEASE_TEXT_MAX, "%u bytes", lease.text_len);
        if (result == FC_LEASE_TAKEN) {
            CHECK_STATUS(FC_OK, land(b, key, "computed", lease.token));
            CHECK(holds(a, key, "computed"), "it is not there");
        }
        CHECK_STATUS(FC_OK, set(a, key, "stored"));
        CHECK(holds(b, key, "stored"), "it is not there");
        CHECK_STATUS(FC_OK, fc_delete(a, key, (uint32_t)strlen(key)));
        if (round % 500 == 0) CHECK_STATUS(FC_OK, fc_clear(b));
        CHECK(fc_wait(b, 0) >= 0, "waiting");
    }
    memset(s.leases, 0, s.geometry->lease_lines * CACHE_LINE);
    s.header->leases_held = 0;
    verify(a);
    CHECK_STATUS(FC_OK, fc_close(b));
    CHECK_STATUS(FC_OK, fc_close(a));
}

static void what_makes_no_sense_is_refused(void) {
    const uint32_t a = first_process();
    fc_lease lease;
    const double bad_ms[] = {0, -1, FC_LEASE_MS_MAX + 1, (double)NAN};
    for (size_t i = 0; i < sizeof bad_ms / sizeof *bad_ms; i++) {
        CHECK_STATUS(FC_INVALID_ARGUMENT, fc_lease_begin(a, "k", 1, bad_ms[i], 0, 0, &lease));
        CHECK_STATUS(FC_INVALID_ARGUMENT,
                     fc_lease_end(a, "k", 1, 1, FC_LEASE_FAIL, bad_ms[i], "", 0));
    }
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_lease_begin(a, "k", 1, 1, 2, 0, &lease));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_lease_begin(a, "k", 1, 1, 0, (double)NAN, &lease));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_lease_begin(a, "", 0, 1, 0, 0, &lease));
    CHECK_STATUS(FC_KEY_TOO_LONG, fc_lease_begin(a, "k", FC_KEY_LEN_MAX + 1, 1, 0, 0, &lease));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_lease_end(a, "k", 1, 1, 3, 1, "", 0));
    CHECK_STATUS(FC_INVALID_ARGUMENT,
                 fc_lease_end(a, "k", 1, 1, FC_LEASE_FAIL, 1, "", FC_LEASE_TEXT_MAX + 1));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_wait(a, -1));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_note(a, 5));
    CHECK_STATUS(FC_MISS, end(a, "k", (double)NAN, FC_LEASE_PASS, 0, ""));
    CHECK_STATUS(FC_OK, fc_close(a));
    CHECK_STATUS(FC_CLOSED, begin(a, "k", &lease));
    CHECK_STATUS(FC_CLOSED, end(a, "k", 1, FC_LEASE_PASS, 0, ""));
    CHECK_STATUS(FC_CLOSED, fc_wait(a, 0));
    CHECK_STATUS(FC_CLOSED, fc_wake(a));
    CHECK_STATUS(FC_CLOSED, fc_note(a, 0));
}

static void *wait_long(void *context) {
    const uint32_t *handle = context;
    return (void *)(intptr_t)fc_wait(*handle, 60000);
}

static int32_t result_of_waiting(pthread_t waiting) {
    void *result;
    CHECK(pthread_join(waiting, &result) == 0, "no thread");
    return (int32_t)(intptr_t)result;
}

static void waiting_ends_with_a_word_with_a_death_and_with_the_handle(void) {
    uint32_t a = first_process(), dying = attach(a);
    pthread_t waiting;
    fc_lease lease;
    CHECK_STATUS(FC_LEASE_TAKEN, begin(dying, "k", &lease));
    CHECK_STATUS(FC_LEASE_HELD, begin(a, "k", &lease));
    CHECK(pthread_create(&waiting, NULL, wait_long, &a) == 0, "no thread");
    CHECK_STATUS(FC_OK, fc_wake(a));
    CHECK((uint32_t)result_of_waiting(waiting) == LEASE_KIND_CALLED, "not by a call");
    CHECK(pthread_create(&waiting, NULL, wait_long, &a) == 0, "no thread");
    CHECK_STATUS(FC_OK, fc_close(dying));
    CHECK((uint32_t)result_of_waiting(waiting) == LEASE_KINDS_ALL, "not by the death");
    dying = attach(a);
    CHECK(pthread_create(&waiting, NULL, wait_long, &a) == 0, "no thread");
    while (load_u32_relaxed(&handle_get(a)->waiters) == 0) usleep(100);
    CHECK_STATUS(FC_OK, fc_close(a));
    CHECK_STATUS(FC_CLOSED, result_of_waiting(waiting));
    CHECK_STATUS(FC_OK, fc_close(dying));
}

/* ------------------------------------------------------------- many at once */

#define PROCESSES 6
#define KEYS 40u
#define ROUNDS 30u

static uint32_t runs[KEYS]; /* by all, of the present round */
static pthread_barrier_t barrier;

/* As a caller of getOrSet, of each key in turn. */
static void compute_or_wait(uint32_t handle, uint32_t number) {
    char key[16];
    snprintf(key, sizeof key, "key-%u", number);
    fc_lease lease;
    for (;;) {
        if (holds(handle, key, "value")) return;
        const int32_t result = begin(handle, key, &lease);
        if (result == FC_LEASE_TAKEN) {
            __atomic_fetch_add(&runs[number], 1, __ATOMIC_RELAXED);
            CHECK_STATUS(FC_OK, land(handle, key, "value", lease.token));
            return;
        }
        CHECK(result == FC_LEASE_HELD || result == FC_LEASE_FRESH, "%d", result);
        if (result == FC_LEASE_HELD) CHECK(fc_wait(handle, 60000) > 0, "nobody woke it");
    }
}

static void *ask_for_all(void *context) {
    const uint32_t handle = *(uint32_t *)context;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&barrier);
        for (uint32_t i = 0; i < KEYS; i++) compute_or_wait(handle, i);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

/* A waiter that is not woken would wait for a minute, and fail. */
static void of_many_that_ask_at_once_one_computes_each_key(void) {
    uint32_t handles[PROCESSES];
    pthread_t threads[PROCESSES];
    handles[0] = first_process();
    for (int i = 1; i < PROCESSES; i++) handles[i] = attach(handles[0]);
    pthread_barrier_init(&barrier, NULL, PROCESSES + 1);
    for (int i = 0; i < PROCESSES; i++)
        CHECK(pthread_create(&threads[i], NULL, ask_for_all, &handles[i]) == 0, "no thread");
    for (uint32_t round = 0; round < ROUNDS; round++) {
        CHECK_STATUS(FC_OK, fc_clear(handles[0]));
        memset(runs, 0, sizeof runs);
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        for (uint32_t i = 0; i < KEYS; i++)
            CHECK(runs[i] == 1, "key %u was computed %u times", i, runs[i]);
    }
    for (int i = 0; i < PROCESSES; i++) pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
    verify(handles[0]);
    for (int i = 0; i < PROCESSES; i++) CHECK_STATUS(FC_OK, fc_close(handles[i]));
}

int main(void) {
    TEST(one_computes_and_the_others_wait);
    TEST(a_lease_may_be_as_short_and_as_long_as_is_allowed);
    TEST(who_saw_the_present_value_may_refresh_it);
    TEST(what_was_computed_is_not_stored_once_the_key_has_changed);
    TEST(reading_touching_and_refused_writes_leave_the_lease);
    TEST(a_dead_owners_lease_is_taken_over);
    TEST(an_owner_that_is_late_loses_the_lease_to_the_next_and_only_then);
    TEST(an_owner_that_passes_the_lease_on_is_followed_by_another);
    TEST(a_failure_is_told_with_its_message_until_its_time_is_over);
    TEST(after_a_result_that_is_not_to_be_stored_all_run_at_once);
    TEST(who_waits_is_told_how_often_in_a_row_the_key_was_changed);
    TEST(a_full_table_refuses_and_makes_room_for_the_living);
    TEST(a_damaged_table_costs_runs_only);
    TEST(what_makes_no_sense_is_refused);
    TEST(waiting_ends_with_a_word_with_a_death_and_with_the_handle);
    TEST(of_many_that_ask_at_once_one_computes_each_key);
    return TESTS_DONE();
}
