/* SPDX-License-Identifier: MIT
 *
 * limits_test.c: the system has no more memory, descriptors, address space or slots to give
 * (contract S2). fc_open says so, with the remedy, and leaves nothing behind; whatever is open
 * already works on.
 */
#include "exhaustion.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#define SMALL_BYTES (8u << 20)

/* ------------------------------------------------------- a small file system */

static bool write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return done;
}

/* A /dev/shm of SMALL_BYTES for this process alone; false where the system forbids it. */
static bool mount_small(void) {
    if (unshare(CLONE_NEWNS) != 0) {
        char map[64], groups[64];
        snprintf(map, sizeof map, "%u %u 1", geteuid(), geteuid());
        snprintf(groups, sizeof groups, "%u %u 1", getegid(), getegid());
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
        if (!write_file("/proc/self/uid_map", map)) return false;
        /* Files that a new /dev/shm takes need a group that it knows. */
        if (!write_file("/proc/self/setgroups", "deny")) return false;
        if (!write_file("/proc/self/gid_map", groups)) return false;
    }
    char options[32];
    snprintf(options, sizeof options, "size=%u", SMALL_BYTES);
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", "/dev/shm", "tmpfs", 0, options) == 0;
}

static uint64_t free_bytes(void) {
    struct statvfs s;
    CHECK(statvfs("/dev/shm", &s) == 0, "statvfs");
    return (uint64_t)s.f_bavail * s.f_bsize;
}

static void fill_up(void) {
    static char block[4096];
    int fd = open("/dev/shm/filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0, "open");
    memset(block, 1, sizeof block);
    while (write(fd, block, sizeof block) == sizeof block) continue;
    CHECK(errno == ENOSPC && free_bytes() == 0, "not full: %s", strerror(errno));
    close(fd);
}

static void in_small_memory(void) {
    if (!mount_small()) SKIP("this system forbids mounting a small /dev/shm");
    const uint64_t free_before = free_bytes();
    fc_report report = open_kind(FC_KIND_SHM, FC_CREATE_OR_ATTACH, "large", 64 << 20);
    fails(report, FC_NO_SPACE, "cannot reserve 67108864 bytes");
    fails(report, FC_NO_SPACE, "8388608 bytes in all");
    fails(report, FC_NO_SPACE, "--shm-size=1g");
    CHECK(!exists("/dev/shm/fastcache3-large"), "a file is left");
    CHECK(free_bytes() == free_before, "space is lost");

    uint32_t handle = opened(open_kind(FC_KIND_SHM, FC_CREATE_OR_ATTACH, "small", 4 << 20));
    fill_up();
    fails(open_file("/dev/shm/file", 1 << 20), FC_NO_SPACE, "cannot reserve 1048576 bytes");
    CHECK(!exists("/dev/shm/file"), "a file is left");
    /* What is open has its memory: all of it can be written. */
    static uint8_t value[50000], got[50000];
    for (uint32_t i = 0; i < 400; i++) {
        fill_value(value, sizeof value, i);
        CHECK_STATUS(
            FC_OK, fc_set(handle, &i, sizeof i, value, sizeof value, FC_TYPE_BYTES, FC_SET, 0, 0));
        CHECK(fc_get(handle, &i, sizeof i, got, sizeof got, 0, NULL) == (int32_t)sizeof got &&
                  memcmp(value, got, sizeof got) == 0,
              "value %u is wrong", i);
    }
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void a_small_or_full_file_system(void) { succeeds_in_child(in_small_memory); }

/* ------------------------------------------------------------------ limits */

static void limit(int resource, uint64_t to) {
    struct rlimit r;
    CHECK(getrlimit((__typeof__(RLIMIT_AS))resource, &r) == 0, "getrlimit");
    r.rlim_cur = to;
    CHECK(setrlimit((__typeof__(RLIMIT_AS))resource, &r) == 0, "setrlimit");
}

static uint32_t survivor; /* opened before the limit; belongs to the parent */

/* Opens while a limit forbids it, and once more without; `path` must not be there in between. */
static void refused_by(int resource, uint64_t to, const char *words) {
    const char *path = path_of("limited");
    CHECK_STATUS(FC_CLOSED, fc_has(survivor, "key", 3)); /* the parent's, also the very first */
    uint32_t handle = opened(open_file(path_of("survivor"), 0));
    struct rlimit before;
    CHECK(getrlimit((__typeof__(RLIMIT_AS))resource, &before) == 0, "getrlimit");
    limit(resource, to);
    fails(open_file(path, 16 << 20), FC_NO_SPACE, words);
    fails(open_kind(FC_KIND_PRIVATE, FC_CREATE_OR_ATTACH, NULL, 16 << 20), FC_NO_SPACE, words);
    has_text(handle, "key", "value");
    set_text(handle, "key", "value");
    limit(resource, before.rlim_cur);
    CHECK(!exists(path), "a file is left");
    CHECK_STATUS(FC_OK, fc_close(opened(open_file(path, 16 << 20))));
    CHECK(unlink(path) == 0, "unlink");
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static uint64_t address_space(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%lu", &pages) == 1, "statm");
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void under_address_space(void) {
    refused_by(RLIMIT_AS, address_space() + (8 << 20), "ulimit -v");
}
/* What huge pages need is not there: the segment is small pages anywhere. */
static void under_tight_address_space(void) {
    const uint64_t size = 16 << 20;
    limit(RLIMIT_AS, address_space() + size + (1 << 20));
    uint32_t handle = opened(open_kind(FC_KIND_PRIVATE, FC_CREATE_OR_ATTACH, NULL, size));
    set_text(handle, "key", "value");
    has_text(handle, "key", "value");
    CHECK_STATUS(FC_OK, fc_close(handle));
}
static void under_file_size(void) { refused_by(RLIMIT_FSIZE, 1 << 20, "ulimit -f"); }
static void under_no_file_size(void) { refused_by(RLIMIT_FSIZE, 0, "ulimit -f"); }

static void under_descriptors(void) {
    uint32_t handle = opened(open_file(path_of("survivor"), 0));
    int next = dup(0);
    CHECK(next >= 0, "dup");
    close(next);
    limit(RLIMIT_NOFILE, (uint64_t)next);
    fails(open_file(path_of("limited"), 1 << 20), FC_NO_SPACE, "ulimit -n");
    fails(open_kind(FC_KIND_PRIVATE, FC_CREATE_OR_ATTACH, NULL, 1 << 20), FC_NO_SPACE, "ulimit -n");
    has_text(handle, "key", "value");
    /* One is enough. */
    limit(RLIMIT_NOFILE, (uint64_t)next + 1);
    uint32_t last = opened(open_kind(FC_KIND_PRIVATE, FC_CREATE_OR_ATTACH, NULL, 1 << 20));
    set_text(last, "key", "value");
    CHECK_STATUS(FC_OK, fc_close(last));
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void no_address_space(void) { succeeds_in_child(under_address_space); }
static void hardly_any_address_space(void) { succeeds_in_child(under_tight_address_space); }
static void no_large_files(void) { succeeds_in_child(under_file_size); }
static void no_files(void) { succeeds_in_child(under_no_file_size); }
static void no_descriptors(void) { succeeds_in_child(under_descriptors); }

/* ------------------------------------------------------------------- slots */

/* A process that holds a slot until it is killed; 0 if it got none. */
static pid_t holder_begin(const char *path) {
    int ready[2];
    CHECK(pipe(ready) == 0, "no pipe");
    fflush(stdout);
    const pid_t child = fork();
    CHECK(child >= 0, "cannot fork");
    if (child == 0) {
        fc_report report = open_file(path, 0);
        if (report.status != FC_OK) _exit(1);
        CHECK(write(ready[1], "", 1) == 1, "nobody listens");
        for (;;) pause();
    }
    close(ready[1]);
    char byte;
    const bool is_there = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    if (!is_there) waitpid(child, NULL, 0);
    return is_there ? child : 0;
}
static void holder_end(pid_t holder) {
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
}

static void too_many(void) {
    fails(open_file(path_of("slots"), 0), FC_TOO_MANY_PROCESSES,
          "all 256 slots of the segment are taken, by threads of 256 processes");
}

static void a_full_process_table(void) {
    const char *path = path_of("slots");
    const uint32_t handle = opened(open_file(path, 1 << 20));
    pid_t holders[255];
    for (int i = 0; i < 255; i++) CHECK((holders[i] = holder_begin(path)) != 0, "no slot %d", i);
    set_text(handle, "key", "value");
    succeeds_in_child(too_many);
    CHECK(stats_of(handle).processes == 256, "not all are counted");
    /* Whoever has a slot may open more handles. */
    const uint32_t second = opened(open_file(path, 0));
    has_text(second, "key", "value");
    CHECK_STATUS(FC_OK, fc_close(second));
    holder_end(holders[77]);
    CHECK((holders[77] = holder_begin(path)) != 0, "the slot is not free again");
    verify(handle);
    for (int i = 0; i < 255; i++) holder_end(holders[i]);
    CHECK(stats_of(handle).processes == 1, "somebody is left");
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void attached_and_detached_65537_times(void) {
    const char *path = path_of("again");
    uint32_t handle = opened(open_file(path, 1 << 20));
    set_text(handle, "key", "value");
    CHECK_STATUS(FC_OK, fc_close(handle));
    for (uint32_t i = 0; i < 65537; i++) {
        const uint32_t stale = handle;
        handle = opened(open_file(path, 0));
        CHECK(handle != stale, "a handle came back at once");
        if (i % 1000 == 0) set_text(handle, "other", "text");
        has_text(handle, "key", "value");
        CHECK_STATUS(FC_CLOSED, fc_delete(stale, "key", 3));
        if (i == 65536) break;
        CHECK_STATUS(FC_OK, fc_close(handle));
    }
    CHECK(stats_of(handle).processes == 1, "somebody is left");
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void all_handles_of_a_process(void) {
    static uint32_t handles[65536];
    for (uint32_t i = 0; i < 65536; i++) handles[i] = opened(open_file(path_of("many"), 1 << 20));
    fails(open_file(path_of("one-more"), 1 << 20), FC_NO_SPACE, "65536 handles");
    set_text(handles[65535], "key", "value");
    for (uint32_t i = 0; i < 65536; i++) CHECK_STATUS(FC_OK, fc_close(handles[i]));
    CHECK_STATUS(FC_OK, fc_close(opened(open_file(path_of("one-more"), 1 << 20))));
}

int main(void) {
    folder_make();
    survivor = opened(open_file(path_of("survivor"), 1 << 20));
    set_text(survivor, "key", "value");
    TEST(a_small_or_full_file_system);
    TEST(no_address_space);
    TEST(hardly_any_address_space);
    TEST(no_large_files);
    TEST(no_files);
    TEST(no_descriptors);
    has_text(survivor, "key", "value");
    verify(survivor);
    CHECK_STATUS(FC_OK, fc_close(survivor));
    TEST(a_full_process_table);
    TEST(attached_and_detached_65537_times);
    TEST(all_handles_of_a_process);
    folder_remove();
    return TESTS_DONE();
}
