/* SPDX-License-Identifier: MIT
 *
 * replace_test.c: a segment is there that is not the one that is asked for. What fc_on_mismatch
 * says is done, at once for all who open, whoever is attached, and whoever is killed meanwhile.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handle.h"
#include "layout.h"
#include "os/os.h"

#define OLD_SIZE (1u << 20)
#define NEW_SIZE (2u << 20)
#define PROCESSES 64

static char folder[256], path[288];
static fc_report report;

static int32_t open_with(uint32_t on_mismatch, uint64_t size) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_FILE,
                          .create = FC_CREATE_OR_ATTACH,
                          .on_mismatch = on_mismatch,
                          .size_bytes = size};
    return fc_open(&options, path, (uint32_t)strlen(path), &report);
}

static uint32_t opened(uint32_t on_mismatch, uint64_t size) {
    CHECK(open_with(on_mismatch, size) == FC_OK, "%s", report.message);
    CHECK(report.status == FC_OK && report.message_len == 0, "%s", report.message);
    return report.handle;
}

static uint64_t size_of(uint32_t handle) {
    fc_info_fields info;
    CHECK_STATUS(FC_OK, fc_info(handle, &info));
    return info.size_bytes;
}

static double count_up(uint32_t handle) {
    double sum;
    CHECK_STATUS(FC_OK, fc_increment(handle, "count", 5, 1, 0, 0, &sum));
    return sum;
}

static bool replaced(uint32_t handle) { return stats_of(handle).replaced == 1; }

static void remove_all(void) {
    fc_report ignored;
    CHECK_STATUS(FC_OK, fc_destroy(FC_KIND_FILE, path, (uint32_t)strlen(path), &ignored));
    DIR *directory = opendir(folder);
    CHECK(directory, "%s", folder);
    for (struct dirent *entry; (entry = readdir(directory));)
        CHECK(entry->d_name[0] == '.', "%s is left", entry->d_name);
    closedir(directory);
}

/* As if so many ms had passed since the segment took its place. */
static void age(uint32_t handle, uint64_t ms) {
    cache_superblock(handle_get(handle))->replacement_ms -= ms;
}

static void an_error_unless_something_else_is_said(void) {
    uint32_t old = opened(FC_MISMATCH_ERROR, OLD_SIZE);
    CHECK_STATUS(FC_LAYOUT_MISMATCH, open_with(FC_MISMATCH_ERROR, NEW_SIZE));
    CHECK(strstr(report.message, "1048576") && strstr(report.message, "2097152") &&
              strstr(report.message, "onMismatch"),
          "%s", report.message);
    CHECK(!replaced(old), "replaced");
    CHECK_STATUS(FC_OK, fc_close(old));
    remove_all();
}

static void attach_takes_it_as_it_is(void) {
    uint32_t old = opened(FC_MISMATCH_ERROR, OLD_SIZE);
    (void)count_up(old);
    uint32_t other = opened(FC_MISMATCH_ATTACH, NEW_SIZE);
    CHECK(!report.created && size_of(other) == OLD_SIZE && count_up(other) == 2, "another one");
    CHECK_STATUS(FC_OK, fc_close(old));
    CHECK_STATUS(FC_OK, fc_close(other));
    remove_all();
    CHECK_STATUS(FC_OK, fc_close(opened(FC_MISMATCH_ATTACH, NEW_SIZE)));
    remove_all();
}

static void replace_leaves_the_old_one_to_who_has_it(void) {
    uint32_t old = opened(FC_MISMATCH_ERROR, OLD_SIZE),
             same = opened(FC_MISMATCH_REPLACE, OLD_SIZE);
    CHECK(!report.created, "it agreed, and was created");
    (void)count_up(old);
    uint32_t next = opened(FC_MISMATCH_REPLACE, NEW_SIZE);
    CHECK(report.created && size_of(next) == NEW_SIZE, "not a new one");
    CHECK(count_up(next) == 1 && count_up(old) == 2 && count_up(same) == 3, "mixed up");
    CHECK(replaced(old) && replaced(same) && !replaced(next), "who is replaced?");
    verify(old);
    CHECK_STATUS(FC_OK, fc_close(old));
    CHECK_STATUS(FC_OK, fc_close(same));
    verify(next);
    CHECK_STATUS(FC_OK, fc_close(next));
    remove_all();
}

static void replace_where_nobody_is_attached(void) {
    CHECK_STATUS(FC_OK, fc_close(opened(FC_MISMATCH_ERROR, NEW_SIZE)));
    uint32_t next = opened(FC_MISMATCH_REPLACE, OLD_SIZE);
    CHECK(report.created && size_of(next) == OLD_SIZE && !replaced(next), "not a new one");
    verify(next);
    CHECK_STATUS(FC_OK, fc_close(next));
    remove_all();
}

static void what_there_is_no_room_for_leaves_the_old_one(void) {
    uint32_t old = opened(FC_MISMATCH_ERROR, NEW_SIZE);
    CHECK(count_up(old) == 1, "not a new one");
    CHECK_STATUS(FC_OK, fc_close(old));
    const struct rlimit usual = {RLIM_INFINITY, RLIM_INFINITY}, small = {4u << 20, RLIM_INFINITY};
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && setrlimit(RLIMIT_FSIZE, &small) == 0, "setrlimit");
    CHECK_STATUS(FC_NO_SPACE, open_with(FC_MISMATCH_REPLACE, 8u << 20));
    CHECK(setrlimit(RLIMIT_FSIZE, &usual) == 0, "setrlimit");
    old = opened(FC_MISMATCH_ERROR, NEW_SIZE);
    CHECK(count_up(old) == 2, "what was there is lost");
    CHECK_STATUS(FC_OK, fc_close(old));
    remove_all();
}

static void who_took_anothers_place_keeps_it_for_a_minute(void) {
    uint32_t old = opened(FC_MISMATCH_ERROR, OLD_SIZE);
    uint32_t next = opened(FC_MISMATCH_REPLACE, NEW_SIZE);
    CHECK_STATUS(FC_LAYOUT_MISMATCH, open_with(FC_MISMATCH_REPLACE, OLD_SIZE));
    CHECK(strstr(report.message, "1048576") && strstr(report.message, "2097152") &&
              strstr(report.message, "took another segment's place") &&
              strstr(report.message, "60000 ms"),
          "%s", report.message);
    CHECK(!replaced(next), "replaced");
    age(next, 61000);
    uint32_t third = opened(FC_MISMATCH_REPLACE, OLD_SIZE);
    CHECK(replaced(next) && size_of(third) == OLD_SIZE, "not replaced after a minute");
    /* One that took nobody's place may be replaced at any time: so far, `old` was. */
    CHECK_STATUS(FC_OK, fc_close(old));
    CHECK_STATUS(FC_OK, fc_close(next));
    CHECK_STATUS(FC_OK, fc_close(third));
    remove_all();
}

static void another_layout_is_replaced_too(void) {
    uint32_t old = opened(FC_MISMATCH_ERROR, OLD_SIZE);
    cache_superblock(handle_get(old))->layout_version++;
    CHECK_STATUS(FC_LAYOUT_MISMATCH, open_with(FC_MISMATCH_ATTACH, OLD_SIZE));
    uint32_t next = opened(FC_MISMATCH_REPLACE, OLD_SIZE);
    CHECK(report.created && replaced(old), "not replaced");
    CHECK_STATUS(FC_OK, fc_close(old));
    CHECK_STATUS(FC_OK, fc_close(next));
    remove_all();
}

static void what_cannot_replace_is_refused(void) {
    fc_options options = {.struct_size = sizeof options, .on_mismatch = FC_MISMATCH_REPLACE};
    options.create = FC_CREATE_OR_ATTACH;
    options.kind = FC_KIND_FILE;
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_open(&options, path, (uint32_t)strlen(path), &report));
    options.size_bytes = OLD_SIZE;
    options.create = FC_ATTACH;
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_open(&options, path, (uint32_t)strlen(path), &report));
    options.create = FC_CREATE_OR_ATTACH;
    options.on_mismatch = 3;
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_open(&options, path, (uint32_t)strlen(path), &report));
    /* A file of something else is no segment of another layout. */
    FILE *file = fopen(path, "w");
    CHECK(file && fputs("Dear Ann", file) >= 0 && fclose(file) == 0 && chmod(path, 0600) == 0, "%s",
          path);
    CHECK_STATUS(FC_CORRUPT, open_with(FC_MISMATCH_REPLACE, OLD_SIZE));
    CHECK(unlink(path) == 0, "unlink");
}

static void removed_it_is_told(void) {
    uint32_t handle = opened(FC_MISMATCH_ERROR, OLD_SIZE);
    CHECK(!replaced(handle), "replaced");
    CHECK(unlink(path) == 0, "unlink");
    CHECK(replaced(handle), "not told");
    CHECK(count_up(handle) == 1, "it is of no use any more");
    uint32_t again = opened(FC_MISMATCH_ERROR, OLD_SIZE);
    CHECK(report.created && count_up(again) == 1 && !replaced(again), "the same one");
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK_STATUS(FC_OK, fc_close(again));
    remove_all();
    uint32_t private = private_open(OLD_SIZE, 1, 0);
    CHECK(!replaced(private), "it never had a name");
    CHECK_STATUS(FC_OK, fc_close(private));
}

/* -------------------------------------------------------------- many at once */

/* Each of 64 processes opens at the same moment, counts, waits for the end, and tells in its exit
 * code: 0 attached, 1 created, 2 refused. `odd_size` is what every second asks for. */
static void crowd(uint64_t even_size, uint64_t odd_size, uint32_t outcomes[3], double *count) {
    int go[2], end[2], counted[2];
    CHECK(pipe(go) == 0 && pipe(end) == 0 && pipe(counted) == 0, "pipe");
    fflush(stdout);
    for (uint32_t i = 0; i < PROCESSES; i++) {
        if (fork() != 0) continue;
        close(go[1]);
        close(end[1]);
        char byte;
        (void)!read(go[0], &byte, 1);
        const int32_t status = open_with(FC_MISMATCH_REPLACE, i % 2 ? odd_size : even_size);
        int code = 2;
        if (status == FC_OK) {
            (void)count_up(report.handle);
            code = report.created ? 1 : 0;
        } else if (status != FC_LAYOUT_MISMATCH || !strstr(report.message, "not replaced")) {
            fprintf(stderr, "%s\n", report.message);
            code = 3;
        }
        (void)!write(counted[1], "", 1);
        (void)!read(end[0], &byte, 1);
        _exit(code);
    }
    close(go[1]);
    for (uint32_t i = 0; i < PROCESSES; i++) {
        char byte;
        CHECK(read(counted[0], &byte, 1) == 1, "a process is gone");
    }
    uint32_t handle = opened(FC_MISMATCH_ATTACH, even_size);
    *count = count_up(handle) - 1;
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
    close(end[1]);
    for (uint32_t i = 0; i < PROCESSES; i++) {
        int status;
        CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) < 3, "%x", status);
        outcomes[WEXITSTATUS(status)]++;
    }
    close(go[0]), close(end[0]), close(counted[0]), close(counted[1]);
}

static void of_64_processes_one_replaces_and_all_meet(void) {
    for (uint32_t round = 0; round < 10; round++) {
        const bool in_use = round % 2;
        uint32_t old = opened(FC_MISMATCH_ERROR, OLD_SIZE), outcomes[3] = {0};
        if (!in_use) CHECK_STATUS(FC_OK, fc_close(old));
        double count;
        crowd(NEW_SIZE, NEW_SIZE, outcomes, &count);
        CHECK(outcomes[1] == 1 && outcomes[0] == PROCESSES - 1 && count == PROCESSES,
              "%u created, %u attached, %f counted", outcomes[1], outcomes[0], count);
        if (in_use) {
            CHECK(replaced(old), "not told");
            CHECK_STATUS(FC_OK, fc_close(old));
        }
        remove_all();
    }
}

static void of_two_programs_that_want_different_ones_one_wins(void) {
    for (uint32_t round = 0; round < 10; round++) {
        uint32_t old = opened(FC_MISMATCH_ERROR, 4 * OLD_SIZE), outcomes[3] = {0};
        double count;
        crowd(OLD_SIZE, NEW_SIZE, outcomes, &count);
        CHECK(outcomes[1] == 1 && outcomes[2] == PROCESSES / 2 && count == PROCESSES / 2,
              "%u created, %u refused, %f counted", outcomes[1], outcomes[2], count);
        CHECK_STATUS(FC_OK, fc_close(old));
        remove_all();
    }
}

/* Killed at any time, who replaces leaves the old one or the new one, and nothing else. */
static void a_killed_replacer_leaves_one_segment(void) {
    uint64_t random = 5;
    uint32_t olds = 0, news = 0;
    for (uint32_t round = 0; round < 150; round++) {
        uint32_t old = opened(FC_MISMATCH_ERROR, OLD_SIZE);
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            (void)open_with(FC_MISMATCH_REPLACE, NEW_SIZE);
            pause();
        }
        usleep(random_below(&random, 4000));
        CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child, "kill");
        const bool was_replaced = replaced(old);
        CHECK_STATUS(FC_OK, fc_close(old));
        uint32_t handle = opened(FC_MISMATCH_ATTACH, OLD_SIZE);
        CHECK(size_of(handle) == (was_replaced ? NEW_SIZE : OLD_SIZE), "%" PRIu64 " bytes",
              size_of(handle));
        ++*(was_replaced ? &news : &olds);
        verify(handle);
        CHECK_STATUS(FC_OK, fc_close(handle));
        remove_all();
    }
    printf("# killed before it was replaced %u times, after it %u times\n", olds, news);
    CHECK(olds > 0, "none was killed in time");
}

int main(void) {
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.200s/fastcache-replace-XXXXXX",
             temporary ? temporary : "/tmp");
    CHECK(mkdtemp(folder), "%s", folder);
    snprintf(path, sizeof path, "%s/segment", folder);
    TEST(an_error_unless_something_else_is_said);
    TEST(attach_takes_it_as_it_is);
    TEST(replace_leaves_the_old_one_to_who_has_it);
    TEST(replace_where_nobody_is_attached);
    TEST(what_there_is_no_room_for_leaves_the_old_one);
    TEST(who_took_anothers_place_keeps_it_for_a_minute);
    TEST(another_layout_is_replaced_too);
    TEST(what_cannot_replace_is_refused);
    TEST(removed_it_is_told);
    TEST(of_64_processes_one_replaces_and_all_meet);
    TEST(of_two_programs_that_want_different_ones_one_wins);
    TEST(a_killed_replacer_leaves_one_segment);
    CHECK(rmdir(folder) == 0, "%s", folder);
    return TESTS_DONE();
}
