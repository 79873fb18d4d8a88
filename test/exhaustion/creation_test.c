/* SPDX-License-Identifier: MIT
 *
 * creation_test.c: somebody else holds the creation lock. Whoever opens waits for a creator that goes
 * on, gives up on one that stands still, with the remedy, and begins anew after one that died. The
 * machine's clock is this program's own: it goes faster when told to.
 */
#include "exhaustion.h"

#include <sys/syscall.h>
#include <time.h>

#include "layout.h"

static int64_t seconds_a_look; /* that the clock goes on at each look at it */

/* In place of the C library's. */
int clock_gettime(clockid_t id, struct timespec *now) {
    static int64_t ahead;
    if (syscall(SYS_clock_gettime, id, now) != 0) return -1;
    ahead += seconds_a_look;
    now->tv_sec += ahead;
    return 0;
}

/* A child that makes `path`, writes `state` into it, and holds its creation lock for `ms`. */
static pid_t creator(const char *path, uint32_t state, uint32_t ms) {
    int ready[2];
    CHECK(pipe(ready) == 0, "pipe");
    const pid_t child = fork();
    CHECK(child >= 0, "cannot fork");
    if (child == 0) {
        const superblock block = {.magic = LAYOUT_MAGIC, .state = state};
        struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
        const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        CHECK(fd >= 0 && fcntl(fd, F_OFD_SETLK, &range) == 0, "cannot lock");
        if (state) CHECK(write(fd, &block, sizeof block) == sizeof block, "cannot write");
        CHECK(write(ready[1], "", 1) == 1, "cannot tell");
        usleep(ms * 1000);
        _exit(0);
    }
    char byte;
    CHECK(read(ready[0], &byte, 1) == 1, "the creator is gone");
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void ended(pid_t child) { CHECK(waitpid(child, NULL, 0) == child, "lost the child"); }

static void a_creator_at_work_is_waited_for(void) {
    const char *path = path_of("slow");
    const pid_t child = creator(path, STATE_CREATING, 100);
    /* It has not come to its end when it dies: the next begins anew. */
    fc_report report = open_file(path, 1 << 20);
    uint32_t handle = opened(report);
    CHECK(report.created == 1, "it was not created anew");
    ended(child);
    set_text(handle, "key", "value");
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK(unlink(path) == 0, "unlink");
}

static void a_creator_that_stands_still_is_given_up(void) {
    const char *path = path_of("stopped");
    const pid_t child = creator(path, 0, 60000);
    seconds_a_look = 1;
    fails(open_file(path, 1 << 20), FC_BUSY, "for more than 10000 ms and is still alive");
    /* A large one may take its creator longer: 20 s more for each GiB of a file. */
    fails(open_file(path, 4ull << 30), FC_BUSY, "for more than 90000 ms");
    fc_report report;
    CHECK_STATUS(FC_BUSY, fc_destroy(FC_KIND_FILE, path, (uint32_t)strlen(path), &report));
    seconds_a_look = 0;
    CHECK(kill(child, SIGKILL) == 0, "kill");
    ended(child);
    CHECK_STATUS(FC_OK, fc_close(opened(open_file(path, 1 << 20))));
    CHECK(unlink(path) == 0, "unlink");
}

/* The file may be removed while somebody waits for its lock: then it opens what has the name now. */
static void a_file_removed_meanwhile_is_not_used(void) {
    const char *path = path_of("removed");
    const pid_t child = creator(path, 0, 100);
    const pid_t remover = fork();
    CHECK(remover >= 0, "cannot fork");
    if (remover == 0) {
        usleep(30000);
        _exit(unlink(path) != 0);
    }
    const uint32_t handle = opened(open_file(path, 1 << 20));
    struct stat s;
    CHECK(stat(path, &s) == 0 && s.st_size == 1 << 20, "what was opened has no name");
    ended(child);
    ended(remover);
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK(unlink(path) == 0, "unlink");
}

static void a_segment_that_somebody_uses_is_not_created_anew(void) {
    const char *path = path_of("cut");
    const uint32_t handle = opened(open_file(path, 1 << 20));
    CHECK(truncate(path, 0) == 0, "truncate");
    fails(open_file(path, 1 << 20), FC_CORRUPT, "cut short or overwritten");
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK_STATUS(FC_OK, fc_close(opened(open_file(path, 1 << 20))));
    CHECK(unlink(path) == 0, "unlink");
}

int main(void) {
    folder_make();
    TEST(a_creator_at_work_is_waited_for);
    TEST(a_creator_that_stands_still_is_given_up);
    TEST(a_file_removed_meanwhile_is_not_used);
    TEST(a_segment_that_somebody_uses_is_not_created_anew);
    folder_remove();
    return TESTS_DONE();
}
