/* SPDX-License-Identifier: MIT
 *
 * clock_test.c: clocks jump by a year (contract E3). Cache time is the time since boot, sleep
 * included, plus a base; so setting the machine's calendar moves nothing while it runs. What
 * remains is a long sleep, and a boot after which the calendar stands elsewhere: both are made
 * here by writing what the segment would then hold.
 */
#include "exhaustion.h"

#include <sched.h>

#include "cache.h"
#include "handle.h"
#include "os/os.h"

#define HOUR_MS (3600.0 * 1000)
#define DAY_MS (24 * HOUR_MS)
#define YEAR_MS (365 * DAY_MS)
/* A test that takes longer than this has other trouble. */
#define SLACK_MS (HOUR_MS / 2)

static const char *path;

static void set_with(uint32_t handle, const char *key, double ttl_ms) {
    CHECK_STATUS(FC_OK, fc_set(handle, key, (uint32_t)strlen(key), "value", 5, FC_TYPE_ASCII,
                               FC_SET, ttl_ms, 0));
}

static uint32_t open_with_three(void) {
    uint32_t handle = opened(open_file(path, 1 << 20));
    set_with(handle, "hour", HOUR_MS);
    set_with(handle, "two years", 2 * YEAR_MS);
    set_with(handle, "ever", 0);
    return handle;
}

static void left(uint32_t handle, const char *key, double wanted_ms) {
    double ttl_ms;
    CHECK_STATUS(FC_OK, fc_ttl(handle, key, (uint32_t)strlen(key), &ttl_ms));
    CHECK(ttl_ms <= wanted_ms && ttl_ms > wanted_ms - SLACK_MS, "%s has %f ms left, not %f", key,
          ttl_ms, wanted_ms);
}

static void a_year_later(uint32_t handle) {
    CHECK_STATUS(FC_MISS, fc_has(handle, "hour", 4));
    left(handle, "two years", YEAR_MS);
    has_text(handle, "ever", "value");
    CHECK(stats_of(handle).entries == 2, "the expired entry was not swept");
    verify(handle);
}

static void asleep_for_a_year(void) {
    uint32_t handle = open_with_three();
    ((cache *)handle_get(handle))->clock_base_ms += (uint64_t)YEAR_MS;
    a_year_later(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK(unlink(path) == 0, "unlink");
}

/* As if the machine had been booted since, and the segment had been left `ago_ms` before what
 * the calendar says now. */
static void pretend_boot(double ago_ms) {
    superblock block;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && pread(fd, &block, sizeof block, 0) == sizeof block, "read");
    block.boot_id ^= 1;
    const int64_t moved_ms = (int64_t)ago_ms;
    block.clock_base_ms -= (uint64_t)moved_ms;
    block.clock_last_ms -= (uint64_t)moved_ms;
    CHECK(pwrite(fd, &block, sizeof block, 0) == sizeof block, "write");
    close(fd);
}

/* Deadlines are cache times: entries made by a clock that stood `ago_ms` earlier. */
static void leave_behind(double ago_ms) {
    uint32_t handle = opened(open_file(path, 1 << 20));
    ((cache *)handle_get(handle))->clock_base_ms -= (uint64_t)(int64_t)ago_ms;
    set_with(handle, "hour", HOUR_MS);
    set_with(handle, "two years", 2 * YEAR_MS);
    set_with(handle, "ever", 0);
    ((cache *)handle_get(handle))->clock_base_ms += (uint64_t)(int64_t)ago_ms;
    CHECK_STATUS(FC_OK, fc_close(handle));
    pretend_boot(ago_ms);
}

static void off_for_a_year(void) {
    leave_behind(YEAR_MS);
    uint32_t handle = opened(open_file(path, 0));
    a_year_later(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK(unlink(path) == 0, "unlink");
}

static void booted_with_the_calendar_a_year_back(void) {
    leave_behind(-YEAR_MS);
    uint32_t handle = opened(open_file(path, 0));
    /* Time goes on from where it was: nothing expires early, nothing lives a year longer. */
    left(handle, "hour", HOUR_MS);
    left(handle, "two years", 2 * YEAR_MS);
    has_text(handle, "ever", "value");
    set_with(handle, "day", DAY_MS);
    left(handle, "day", DAY_MS);
    CHECK_STATUS(FC_OK, fc_close(handle));
    /* And again: it does not jump back when the calendar is right the next time. */
    pretend_boot(0);
    handle = opened(open_file(path, 0));
    left(handle, "hour", HOUR_MS);
    left(handle, "day", DAY_MS);
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK(unlink(path) == 0, "unlink");
}

/* Whoever is attached keeps the time; all agree. */
static void two_handles_keep_one_time(void) {
    uint32_t first = open_with_three();
    handle_get(first)->attachment->thread = ANOTHER_THREAD;
    uint32_t second = opened(open_file(path, 0));
    cache *a = (cache *)handle_get(first), *b = (cache *)handle_get(second);
    CHECK(a->clock_base_ms == b->clock_base_ms, "two bases");
    left(second, "hour", HOUR_MS);
    CHECK_STATUS(FC_OK, fc_close(first));
    CHECK_STATUS(FC_OK, fc_close(second));
    CHECK(unlink(path) == 0, "unlink");
}

/* ---------------------------------------------------------- time namespaces */

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

/* Runs `run` in a process whose clocks since boot are moved. False where the system forbids it. */
static bool in_another_time(const char *offsets, void (*run)(void)) {
    fflush(stdout);
    pid_t outer = fork();
    CHECK(outer >= 0, "fork");
    if (outer == 0) {
        if (unshare(CLONE_NEWTIME) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWTIME) != 0) _exit(77);
        int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
        const ssize_t len = (ssize_t)strlen(offsets);
        if (fd < 0 || write(fd, offsets, (size_t)len) != len) _exit(77);
        close(fd);
        succeeds_in_child(run);
        _exit(0);
    }
    int status;
    CHECK(waitpid(outer, &status, 0) == outer, "lost the child");
    CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77),
          "the child ended with %x", status);
    return WEXITSTATUS(status) == 0;
}

static void agrees_on_deadlines(void) {
    uint32_t handle = opened(open_file(path, 0));
    left(handle, "hour", HOUR_MS);
    left(handle, "two years", 2 * YEAR_MS);
    set_with(handle, "theirs", HOUR_MS);
    left(handle, "theirs", HOUR_MS);
    CHECK(stats_of(handle).expirations == 0, "something has expired");
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void in_other_times(void) {
    static const char *const offsets[] = {"boottime 86400 0\n", "monotonic 86400 0\n",
                                          "boottime -60 500000000\nmonotonic 7200 0\n"};
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        uint32_t handle = open_with_three();
        if (!in_another_time(offsets[i], agrees_on_deadlines)) {
            CHECK_STATUS(FC_OK, fc_close(handle));
            CHECK(unlink(path) == 0, "unlink");
            SKIP("this system forbids time namespaces");
        }
        left(handle, "hour", HOUR_MS);
        left(handle, "theirs", HOUR_MS);
        has_text(handle, "ever", "value");
        verify(handle);
        CHECK_STATUS(FC_OK, fc_close(handle));
        CHECK(unlink(path) == 0, "unlink");
    }
}

/* Coarse and exact clock are one, in a namespace too. */
static void clocks_agree(void) {
    for (int i = 0; i < 1000; i++) {
        const uint64_t coarse = os_uptime_coarse_ms(), exact = os_uptime_ms();
        CHECK(coarse <= exact && exact - coarse < 10000, "%" PRIu64 ", %" PRIu64, coarse, exact);
    }
}

static void the_coarse_clock_in_other_times(void) {
    clocks_agree();
    (void)in_another_time("boottime -60 0\nmonotonic 7200 0\n", clocks_agree);
}

int main(void) {
    folder_make();
    path = path_of("segment");
    TEST(asleep_for_a_year);
    TEST(off_for_a_year);
    TEST(booted_with_the_calendar_a_year_back);
    TEST(two_handles_keep_one_time);
    TEST(in_other_times);
    TEST(the_coarse_clock_in_other_times);
    folder_remove();
    return TESTS_DONE();
}
