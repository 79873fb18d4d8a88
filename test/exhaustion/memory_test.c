/* SPDX-License-Identifier: MIT
 *
 * memory_test.c: a container may have less memory than its machine, /dev/shm may be missing or
 * read-only, a creator may be killed for want of memory.
 * The limits are tried in folders that look like /proc and /sys, and with real control groups where
 * this process may make some.
 */
#include "exhaustion.h"

#include <sched.h>
#include <stdarg.h>
#include <sys/mount.h>

#include "layout.h"
#include "os/linux/internal.h"

#define MIB (1ull << 20)
#define NO_LIMIT_V1 "9223372036854771712"

/* ------------------------------------------------- limits, in a made-up system */

static char root[300];

/* Writes a file of the made-up system, and the folders that lead to it. */
static void put(const char *path, const char *format, ...) {
    char full[700], text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')); at++) {
        *at = 0;
        CHECK(mkdir(full, 0700) == 0 || errno == EEXIST, "%s", full);
        *at = '/';
    }
    FILE *file = fopen(full, "w");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s", full);
}

static void system_new(void) {
    static unsigned count;
    snprintf(root, sizeof root, "%s/system%u", folder, count++);
    CHECK(mkdir(root, 0700) == 0, "%s", root);
    put("/proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\nSwapFree: 0 kB\n");
}

static void group_v2(const char *path, const char *limit, uint64_t used, uint64_t inactive) {
    char file[400];
    snprintf(file, sizeof file, "/sys/fs/cgroup%s/memory.max", path);
    put(file, "%s\n", limit);
    snprintf(file, sizeof file, "/sys/fs/cgroup%s/memory.current", path);
    put(file, "%" PRIu64 "\n", used);
    snprintf(file, sizeof file, "/sys/fs/cgroup%s/memory.stat", path);
    put(file, "anon 4096\nactive_file 4096\ninactive_file %" PRIu64 "\n", inactive);
}

static void group_v1(const char *path, const char *limit, uint64_t used, uint64_t inactive) {
    char file[400];
    snprintf(file, sizeof file, "/sys/fs/cgroup/memory%s/memory.limit_in_bytes", path);
    put(file, "%s\n", limit);
    snprintf(file, sizeof file, "/sys/fs/cgroup/memory%s/memory.usage_in_bytes", path);
    put(file, "%" PRIu64 "\n", used);
    snprintf(file, sizeof file, "/sys/fs/cgroup/memory%s/memory.stat", path);
    put(file, "inactive_file 0\ntotal_inactive_file %" PRIu64 "\n", inactive);
}

static void mounted_v2(const char *mount_root) {
    put("/proc/self/mountinfo",
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "31 22 0:26 %s /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
        mount_root);
}

static void mounted_v1(const char *mount_root) {
    put("/proc/self/mountinfo",
        "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
        "35 31 0:32 %s /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
        mount_root);
}

/* The narrowest limit has so many bytes, so much is left of it, and its name contains `where`. */
static void narrowest_is(uint64_t limit_bytes, uint64_t left_bytes, const char *where) {
    os_memory_limit limit;
    CHECK(memory_exceeds(root, left_bytes + 1, &limit), "%" PRIu64 " are left", limit.left_bytes);
    CHECK(limit.limit_bytes == limit_bytes && limit.left_bytes == left_bytes,
          "%s: %" PRIu64 " of %" PRIu64, limit.what, limit.left_bytes, limit.limit_bytes);
    CHECK(strstr(limit.what, where), "%s, not %s", limit.what, where);
    CHECK(!memory_exceeds(root, left_bytes, &limit), "what is left is refused");
}

static void without_groups_the_machine_is_the_limit(void) {
    system_new();
    narrowest_is(8192 * MIB, 4096 * MIB, "this machine");
    mounted_v2("/");
    put("/proc/self/cgroup", "0::/user.slice\n");
    group_v2("/user.slice", "max", 100 * MIB, 0);
    narrowest_is(8192 * MIB, 4096 * MIB, "this machine");
}

static void v2_the_own_group_and_every_group_above(void) {
    system_new();
    mounted_v2("/");
    put("/proc/self/cgroup", "0::/a.slice/b.slice/c.service\n");
    group_v2("/a.slice/b.slice/c.service", "1073741824", 100 * MIB, 0);
    narrowest_is(1024 * MIB, 924 * MIB, "/a.slice/b.slice/c.service/memory.max");
    group_v2("/a.slice/b.slice", "max", 300 * MIB, 0);
    narrowest_is(1024 * MIB, 924 * MIB, "c.service");
    group_v2("/a.slice", "536870912", 300 * MIB, 0);
    narrowest_is(512 * MIB, 212 * MIB, "/a.slice/memory.max");
    group_v2("/a.slice", "536870912", 600 * MIB, 0);
    narrowest_is(512 * MIB, 0, "/a.slice/memory.max");
}

static void v2_page_cache_is_given_back(void) {
    system_new();
    mounted_v2("/");
    put("/proc/self/cgroup", "0::/app\n");
    group_v2("/app", "1073741824", 900 * MIB, 880 * MIB);
    narrowest_is(1024 * MIB, 1004 * MIB, "/app");
    group_v2("/app", "1073741824", 900 * MIB, 950 * MIB); /* told at different times */
    narrowest_is(1024 * MIB, 1024 * MIB, "/app");
}

static void v2_in_a_namespace_of_groups(void) {
    system_new();
    mounted_v2("/");
    put("/proc/self/cgroup", "0::/\n");
    group_v2("", "268435456", 16 * MIB, 0);
    narrowest_is(256 * MIB, 240 * MIB, "/sys/fs/cgroup/memory.max");
    /* Moved out of what its namespace shows. */
    put("/proc/self/cgroup", "0::/../other\n");
    narrowest_is(256 * MIB, 240 * MIB, "/sys/fs/cgroup/memory.max");
}

static void a_mount_of_the_own_group_only(void) {
    system_new();
    mounted_v2("/docker/0123abcd");
    put("/proc/self/cgroup", "0::/docker/0123abcd\n");
    group_v2("", "268435456", 16 * MIB, 0);
    narrowest_is(256 * MIB, 240 * MIB, "/sys/fs/cgroup/memory.max");
    put("/proc/self/cgroup", "0::/docker/0123abcd/inner\n");
    group_v2("/inner", "134217728", 8 * MIB, 0);
    narrowest_is(128 * MIB, 120 * MIB, "/sys/fs/cgroup/inner/memory.max");
    put("/proc/self/cgroup", "0::/docker/0123abcdef\n"); /* begins alike, and is another */
    narrowest_is(256 * MIB, 240 * MIB, "/sys/fs/cgroup/memory.max");
}

static void names_with_escapes(void) {
    system_new();
    put("/proc/self/mountinfo", "31 22 0:26 / /sys/fs/cgroup\\040two rw - cgroup2 cgroup2 rw\n");
    put("/proc/self/cgroup", "0::/my\\x2dapp\n");
    put("/sys/fs/cgroup two/my\\x2dapp/memory.max", "104857600\n");
    put("/sys/fs/cgroup two/my\\x2dapp/memory.current", "0\n");
    narrowest_is(100 * MIB, 100 * MIB, "my\\x2dapp");
}

static void v1_the_own_group_and_every_group_above(void) {
    system_new();
    mounted_v1("/");
    put("/proc/self/cgroup", "9:name=systemd:/x\n4:cpu,memory:/a/b\n3:cpuset:/\n0::/\n");
    group_v1("/a/b", "1073741824", 100 * MIB, 30 * MIB);
    narrowest_is(1024 * MIB, 954 * MIB, "/memory/a/b/memory.limit_in_bytes");
    group_v1("/a", "209715200", 150 * MIB, 0);
    narrowest_is(200 * MIB, 50 * MIB, "/memory/a/memory.limit_in_bytes");
    group_v1("/a", NO_LIMIT_V1, 150 * MIB, 0);
    group_v1("", NO_LIMIT_V1, 5000 * MIB, 0);
    narrowest_is(1024 * MIB, 954 * MIB, "/memory/a/b/");
    /* A limit above what is mounted shows in the statistics of the group. */
    put("/sys/fs/cgroup/memory/a/b/memory.stat",
        "hierarchical_memory_limit 524288000\ntotal_inactive_file 0\n");
    narrowest_is(500 * MIB, 400 * MIB, "/memory/a/b/");
}

static void v1_in_a_container_that_sees_its_own_group(void) {
    system_new();
    mounted_v1("/docker/77");
    put("/proc/self/cgroup", "4:memory:/docker/77\n0::/system.slice/containerd.service\n");
    group_v1("", "268435456", 200 * MIB, 150 * MIB);
    narrowest_is(256 * MIB, 206 * MIB, "/sys/fs/cgroup/memory/memory.limit_in_bytes");
}

/* ------------------------------------------------------------ real control groups */

static char group_outer[400], group_inner[420];
static const char *limit_file;

static bool write_to(const char *group, const char *file, const char *text) {
    char path[500];
    snprintf(path, sizeof path, "%s/%s", group, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return done;
}

static bool groups_make(void) {
    static const char *const tops[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/memory"};
    static const char *const limits[] = {"memory.max", "memory.limit_in_bytes"};
    for (int i = 0; i < 2; i++) {
        snprintf(group_outer, sizeof group_outer, "%s/fastcache-test-%d", tops[i], (int)getpid());
        snprintf(group_inner, sizeof group_inner, "%s/inner", group_outer);
        limit_file = limits[i];
        char probe[500];
        if (mkdir(group_outer, 0700) != 0) continue;
        (void)write_to(group_outer, "cgroup.subtree_control", "+memory"); /* v2 only */
        snprintf(probe, sizeof probe, "%s/%s", group_outer, limit_file);
        if (exists(probe) && mkdir(group_inner, 0700) == 0) return true;
        rmdir(group_outer);
    }
    return false;
}

static void enter(void) {
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    CHECK(write_to(group_inner, "cgroup.procs", pid), "cannot enter the group");
}

static void over_the_limit_of_a_group_above(void) {
    enter();
    const char *name = "memory-test-limited";
    fc_report report = open_kind(FC_KIND_SHM, FC_CREATE_OR_ATTACH, name, 256 << 20);
    fails(report, FC_NO_SPACE, "cannot reserve 268435456 bytes");
    fails(report, FC_NO_SPACE, group_outer);
    fails(report, FC_NO_SPACE, "134217728 bytes in all");
    fails(report, FC_NO_SPACE, "--memory");
    uint32_t handle = opened(open_kind(FC_KIND_SHM, FC_CREATE_OR_ATTACH, name, 64 << 20));
    set_text(handle, "key", "value");
    has_text(handle, "key", "value");
    fails(open_kind(FC_KIND_PRIVATE, FC_CREATE_OR_ATTACH, NULL, 96 << 20), FC_NO_SPACE,
          "134217728 bytes in all");
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK_STATUS(FC_OK, fc_destroy(FC_KIND_SHM, name, (uint32_t)strlen(name), &report));
}

static void beside_page_cache_that_can_go(void) {
    enter();
    static uint8_t block[1 << 20];
    const char *path = path_of("page-cache");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0, "%s", path);
    for (int i = 0; i < 100; i++) CHECK(write(fd, block, sizeof block) == sizeof block, "%s", path);
    CHECK(fsync(fd) == 0, "fsync");
    uint32_t handle = opened(open_kind(FC_KIND_PRIVATE, FC_CREATE_OR_ATTACH, NULL, 64 << 20));
    set_text(handle, "key", "value");
    CHECK_STATUS(FC_OK, fc_close(handle));
    close(fd);
    CHECK(unlink(path) == 0, "unlink");
}

static void in_real_control_groups(void) {
    if (!groups_make()) SKIP("this process may make no control groups with a limit of memory");
    CHECK(write_to(group_outer, limit_file, "134217728"), "cannot set the limit");
    succeeds_in_child(over_the_limit_of_a_group_above);
    succeeds_in_child(beside_page_cache_that_can_go);
    /* A group that somebody has just left may be busy for a moment. */
    while (rmdir(group_inner) != 0) CHECK(errno == EBUSY, "%s", group_inner);
    while (rmdir(group_outer) != 0) CHECK(errno == EBUSY, "%s", group_outer);
}

/* ------------------------------------------------------------- a killed creator */

static void half_made(const char *path) {
    const superblock mark = {.magic = LAYOUT_MAGIC, .state = STATE_CREATING};
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, &mark, sizeof mark) == sizeof mark, "%s", path);
    CHECK(ftruncate(fd, 64 << 20) == 0, "%s", path);
    close(fd);
}

static void what_a_killed_creator_left_is_removed_by_the_next_opener(void) {
    const char *path = path_of("half-made");
    half_made(path);
    fails(open_kind(FC_KIND_FILE, FC_ATTACH, path, 0), FC_NOT_FOUND, "there is no segment");
    CHECK(!exists(path), "it is still there");
    half_made(path);
    CHECK_STATUS(FC_OK, fc_close(opened(open_file(path, 1 << 20))));
    struct stat s;
    CHECK(stat(path, &s) == 0 && s.st_size == 1 << 20, "%lld bytes", (long long)s.st_size);
    half_made(path);
    fails(open_file(path, 1ull << 41), FC_NO_SPACE, "cannot reserve");
    CHECK(!exists(path), "it is still there");
}

/* ------------------------------------------------------ no shared memory by name */

static bool own_mounts(void) {
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void list_is_empty(void) {
    char names[64];
    const int32_t len = fc_list(names, sizeof names);
    CHECK(len == 0, "%d: %.*s", len, len > 0 ? len : 0, names);
}

static void without_the_folder(void) {
    if (!own_mounts() || mount("tmpfs", "/dev", "tmpfs", 0, NULL) != 0)
        SKIP("this system forbids mounting an empty /dev");
    fails(open_kind(FC_KIND_SHM, FC_CREATE_OR_ATTACH, "name", 1 << 20), FC_NO_SPACE, "`path`");
    fails(open_kind(FC_KIND_SHM, FC_ATTACH, "name", 0), FC_NOT_FOUND, "`path`");
    list_is_empty();
    CHECK_STATUS(FC_OK, fc_close(opened(open_file(path_of("in-place"), 1 << 20))));
    CHECK_STATUS(FC_OK,
                 fc_close(opened(open_kind(FC_KIND_PRIVATE, FC_CREATE_OR_ATTACH, NULL, 1 << 20))));
}

static void with_a_folder_to_read_only(void) {
    if (!own_mounts() || mount("tmpfs", "/dev/shm", "tmpfs", MS_RDONLY, NULL) != 0)
        SKIP("this system forbids mounting a read-only /dev/shm");
    fc_report report = open_kind(FC_KIND_SHM, FC_CREATE_OR_ATTACH, "name", 1 << 20);
    fails(report, FC_PERMISSION, "`path`");
    fails(report, FC_PERMISSION, "read-only");
    list_is_empty();
}

static void no_dev_shm(void) { succeeds_in_child(without_the_folder); }
static void a_read_only_dev_shm(void) { succeeds_in_child(with_a_folder_to_read_only); }

int main(void) {
    folder_make();
    TEST(without_groups_the_machine_is_the_limit);
    TEST(v2_the_own_group_and_every_group_above);
    TEST(v2_page_cache_is_given_back);
    TEST(v2_in_a_namespace_of_groups);
    TEST(a_mount_of_the_own_group_only);
    TEST(names_with_escapes);
    TEST(v1_the_own_group_and_every_group_above);
    TEST(v1_in_a_container_that_sees_its_own_group);
    TEST(in_real_control_groups);
    TEST(what_a_killed_creator_left_is_removed_by_the_next_opener);
    TEST(no_dev_shm);
    TEST(a_read_only_dev_shm);
    folder_remove();
    return TESTS_DONE();
}
