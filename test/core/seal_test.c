/* SPDX-License-Identifier: MIT
 *
 * seal_test.c: what a file holds is served if it is whole for certain, and else it begins empty
 * (contract S7). test/crash/power.c replays what a loss of power leaves; these are the rules, one
 * by one. Another boot is made by changing the number of the boot in the file.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handle.h"
#include "layout.h"
#include "os/os.h"

#define SIZE (1u << 20)

static char path[256], copy[264];

static fc_report report;

static int32_t open_at(const char *at, uint32_t create) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_FILE,
                          .create = create,
                          .size_bytes = create == FC_ATTACH ? 0 : SIZE};
    return fc_open(&options, at, (uint32_t)strlen(at), &report);
}

static uint32_t opened(const char *at) {
    CHECK(open_at(at, FC_CREATE_OR_ATTACH) == FC_OK, "%s", report.message);
    return report.handle;
}

static void set(uint32_t handle, const char *key) {
    CHECK_STATUS(
        FC_OK, fc_set(handle, key, (uint32_t)strlen(key), "value", 5, FC_TYPE_ASCII, FC_SET, 0, 0));
}

static bool has(uint32_t handle, const char *key) {
    return fc_has(handle, key, (uint32_t)strlen(key)) == FC_OK;
}

static void field_change(const char *at, size_t offset, uint64_t flipped) {
    int fd = open(at, O_RDWR | O_CLOEXEC);
    uint64_t field;
    CHECK(fd >= 0 && pread(fd, &field, 8, (off_t)offset) == 8, "cannot read %s", at);
    field = flipped ? field ^ flipped : 0;
    CHECK(pwrite(fd, &field, 8, (off_t)offset) == 8, "cannot write %s", at);
    close(fd);
}

static void boot_again(const char *at) { field_change(at, offsetof(superblock, boot_id), 1); }

static void copy_file(const char *from, const char *to) {
    char command[1024];
    snprintf(command, sizeof command, "cp '%s' '%s' && chmod 600 '%s'", from, to, to);
    CHECK(system(command) == 0, "%s", command);
}

static bool in_memory(const char *at) {
    int fd = open(at, O_RDONLY | O_CLOEXEC);
    os_file_state state;
    CHECK(fd >= 0 && os_file_state_get(fd, &state) == 0, "%s", at);
    close(fd);
    return state.in_memory;
}

/* A process stores an entry and is killed. */
static void killed_user(const char *at) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        uint32_t handle = opened(at);
        set(handle, "last words");
        raise(SIGKILL);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "the child lives");
}

/* Opens what lies there, tells whether it was kept, and closes it. */
static bool kept(const char *at, const char *key) {
    uint32_t handle = opened(at);
    const bool created = report.created, there = has(handle, key);
    CHECK(created != there, "created %d, there %d", created, there);
    if (created) CHECK(stats_of(handle).entries == 0, "not empty");
    verify(handle);
    set(handle, "afterwards");
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK_STATUS(FC_OK, fc_close(opened(at)));
    return there;
}

static void fresh(void) {
    (void)unlink(path);
    (void)unlink(copy);
    uint32_t handle = opened(path);
    set(handle, "key");
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void closed_by_its_last_user_it_is_kept_over_a_boot(void) {
    fresh();
    boot_again(path);
    CHECK(kept(path, "key"), "lost");
    boot_again(path);
    CHECK(kept(path, "key"), "lost the second time");
}

static void the_last_user_is_whoever_closes_last(void) {
    fresh();
    uint32_t first = opened(path), second = opened(path);
    set(first, "more");
    CHECK_STATUS(FC_OK, fc_close(first));
    copy_file(path, copy);
    CHECK(!kept(copy, "key"), "a copy from before the last one closed");
    set(second, "still more");
    CHECK_STATUS(FC_OK, fc_close(second));
    boot_again(path);
    CHECK(kept(path, "still more"), "lost");
}

static void killed_in_this_boot_everything_stays(void) {
    fresh();
    killed_user(path);
    CHECK(kept(path, "last words"), "lost");
}

static void killed_before_a_boot_it_begins_empty(void) {
    fresh();
    killed_user(path);
    boot_again(path);
    CHECK(!kept(path, "key"), "kept");
}

static void left_open_at_a_boot_it_begins_empty_also_for_who_only_attaches(void) {
    fresh();
    killed_user(path);
    boot_again(path);
    CHECK(open_at(path, FC_ATTACH) == FC_OK, "%s", report.message);
    CHECK(report.created, "not told");
    CHECK(!has(report.handle, "key") && stats_of(report.handle).entries == 0, "kept");
    fc_info_fields info;
    CHECK_STATUS(FC_OK, fc_info(report.handle, &info));
    CHECK(info.size_bytes == SIZE, "another size");
    CHECK_STATUS(FC_OK, fc_close(report.handle));
}

static void an_unknown_boot_is_another_boot(void) {
    fresh();
    killed_user(path);
    field_change(path, offsetof(superblock, boot_id), 0);
    /* What lies in memory cannot be of another boot. */
    CHECK(kept(path, "last words") == in_memory(path), "kept: %d", !in_memory(path));
}

static void a_copy_made_in_use_begins_empty_and_one_made_after_closing_is_kept(void) {
    fresh();
    uint32_t handle = opened(path);
    copy_file(path, copy);
    CHECK(!kept(copy, "key"), "kept");
    CHECK_STATUS(FC_OK, fc_close(handle));
    unlink(copy);
    copy_file(path, copy);
    CHECK(kept(copy, "key"), "lost");
    /* Also where it gets the number of the file that it was made of. */
    handle = opened(path);
    unlink(copy);
    copy_file(path, copy);
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK(unlink(path) == 0, "unlink");
    copy_file(copy, path);
    CHECK(!kept(path, "key"), "a copy in its place was kept");
}

static void a_seal_that_does_not_fit_is_none(void) {
    fresh();
    int fd = open(path, O_RDWR | O_CLOEXEC);
    uint64_t word;
    geometry g;
    CHECK_STATUS(FC_OK, geometry_resolve(SIZE, 1, 0, 0, &g, &report));
    const off_t header = (off_t)(g.shards_offset + offsetof(shard_header, sequence));
    CHECK(pread(fd, &word, 8, header) == 8, "read");
    word++;
    CHECK(pwrite(fd, &word, 8, header) == 8, "write");
    close(fd);
    boot_again(path);
    CHECK(!kept(path, "key"), "kept");
}

static void beside_a_living_process_it_is_as_it_is(void) {
    fresh();
    uint32_t handle = opened(path);
    set(handle, "now");
    /* As if another container had another number for the same boot. */
    superblock *block = cache_superblock(handle_get(handle));
    block->file_inode ^= 1;
    handle_get(handle)->attachment->thread = ANOTHER_THREAD;
    uint32_t second = opened(path);
    CHECK(!report.created && has(second, "now"), "begun anew under a living process");
    block->boot_id ^= 1;
    handle_get(second)->attachment->thread = ANOTHER_THREAD;
    const int32_t status = open_at(path, FC_CREATE_OR_ATTACH);
    if (in_memory(path)) {
        CHECK(status == FC_OK && has(report.handle, "now"), "%s", report.message);
        CHECK_STATUS(FC_OK, fc_close(report.handle));
    } else {
        CHECK(status == FC_INVALID_ARGUMENT && strstr(report.message, "machine"), "%s",
              report.message);
    }
    CHECK(has(handle, "now") && has(second, "now"), "lost");
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK_STATUS(FC_OK, fc_close(second));
}

/* All close at the same time: one of them is the last, and knows it. */
static void of_many_that_close_at_once_one_is_the_last(void) {
    for (uint32_t round = 0; round < 20; round++) {
        fresh();
        int go[2];
        CHECK(pipe(go) == 0, "pipe");
        fflush(stdout);
        for (uint32_t i = 0; i < 8; i++) {
            if (fork() != 0) continue;
            close(go[1]);
            uint32_t handle = opened(path);
            char byte;
            CHECK(read(go[0], &byte, 1) == 0, "not told to go on");
            _exit(fc_close(handle) == FC_OK ? 0 : 1);
        }
        close(go[0]);
        uint32_t mine = opened(path);
        while (stats_of(mine).processes < 9) usleep(1000);
        set(mine, "key");
        close(go[1]);
        CHECK_STATUS(FC_OK, fc_close(mine));
        for (uint32_t i = 0; i < 8; i++) {
            int status;
            CHECK(wait(&status) > 0 && status == 0, "a child failed: %x", status);
        }
        boot_again(path);
        CHECK(kept(path, "key"), "nobody was the last, in round %u", round);
    }
}

int main(void) {
    const char *temporary = getenv("TMPDIR");
    snprintf(path, sizeof path, "%.40s/fastcache-seal-%d", temporary ? temporary : "/tmp",
             (int)getpid());
    snprintf(copy, sizeof copy, "%s-c", path);
    TEST(closed_by_its_last_user_it_is_kept_over_a_boot);
    TEST(the_last_user_is_whoever_closes_last);
    TEST(killed_in_this_boot_everything_stays);
    TEST(killed_before_a_boot_it_begins_empty);
    TEST(left_open_at_a_boot_it_begins_empty_also_for_who_only_attaches);
    TEST(an_unknown_boot_is_another_boot);
    TEST(a_copy_made_in_use_begins_empty_and_one_made_after_closing_is_kept);
    TEST(a_seal_that_does_not_fit_is_none);
    TEST(beside_a_living_process_it_is_as_it_is);
    TEST(of_many_that_close_at_once_one_is_the_last);
    (void)unlink(path);
    (void)unlink(copy);
    return TESTS_DONE();
}
