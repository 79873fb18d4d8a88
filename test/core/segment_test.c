/* SPDX-License-Identifier: MIT
 *
 * segment_test.c: creating, attaching, refusing. What another layout, another geometry or a
 * damaged page 0 is told.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "geometry.h"
#include "handle.h"
#include "layout.h"

static char path[64];

static fc_options file_options(uint64_t size) {
    return (fc_options){.struct_size = sizeof(fc_options),
                        .kind = FC_KIND_FILE,
                        .create = FC_CREATE_OR_ATTACH,
                        .size_bytes = size};
}

static int32_t open_path(const fc_options *options, fc_report *report) {
    return fc_open(options, path, (uint32_t)strlen(path), report);
}

static uint32_t create_file(uint64_t size) {
    fc_options options = file_options(size);
    fc_report report;
    int32_t status = open_path(&options, &report);
    CHECK(status == FC_OK, "%s", report.message);
    return report.handle;
}

/* Opens a file of which these bits were flipped; the message must tell both values. */
static void refused(int32_t expected, size_t offset, uint32_t flipped, size_t len,
                    const char *first, const char *second) {
    uint32_t handle = create_file(1 << 20);
    fc_close(handle);
    int fd = open(path, O_RDWR);
    uint32_t bits = 0;
    CHECK(fd >= 0 && pread(fd, &bits, len, (off_t)offset) == (ssize_t)len, "cannot read");
    bits ^= flipped;
    CHECK(pwrite(fd, &bits, len, (off_t)offset) == (ssize_t)len, "cannot write");
    close(fd);
    fc_options options = file_options(0);
    fc_report report;
    CHECK_STATUS(expected, open_path(&options, &report));
    CHECK(strstr(report.message, first) && strstr(report.message, second), "told: %s",
          report.message);
    CHECK(report.handle == 0, "a handle all the same");
    unlink(path);
}

static void another_layout_version_is_refused_with_both_versions(void) {
    refused(FC_LAYOUT_MISMATCH, offsetof(superblock, layout_version), LAYOUT_VERSION ^ 77, 4,
            "version 77", "version 3");
}

static void another_byte_order_is_refused(void) {
    refused(FC_LAYOUT_MISMATCH, offsetof(superblock, byte_order), 0x01020304 ^ 0x04030201, 4,
            "04030201", "01020304");
}

static void a_damaged_superblock_is_refused_whatever_field_it_is(void) {
    for (size_t offset = offsetof(superblock, eviction);
         offset < offsetof(superblock, clock_base_ms); offset++)
        refused(FC_CORRUPT, offset, 0xee, 1, "checksum", "destroy");
}

static void bytes_of_something_else_are_refused_and_left_alone(void) {
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    char text[4096] = "precious";
    CHECK(write(fd, text, sizeof text) == sizeof text, "cannot write");
    fc_options options = file_options(1 << 20);
    fc_report report;
    CHECK_STATUS(FC_CORRUPT, open_path(&options, &report));
    CHECK_STATUS(FC_CORRUPT, fc_destroy(FC_KIND_FILE, path, (uint32_t)strlen(path), &report));
    char again[4096];
    CHECK(pread(fd, again, sizeof again, 0) == sizeof again && !memcmp(text, again, sizeof text),
          "changed");
    close(fd);
    unlink(path);
}

static void options_that_disagree_are_told_both_values(void) {
    uint32_t handle = create_file(4 << 20);
    fc_report report;
    fc_options options = file_options(8 << 20);
    CHECK_STATUS(FC_LAYOUT_MISMATCH, open_path(&options, &report));
    CHECK(strstr(report.message, "8388608") && strstr(report.message, "4194304"), "%s",
          report.message);
    options = file_options(0);
    options.shards = 4;
    CHECK_STATUS(FC_LAYOUT_MISMATCH, open_path(&options, &report));
    options = file_options(0);
    options.eviction = FC_EVICTION_S3FIFO;
    CHECK_STATUS(FC_LAYOUT_MISMATCH, open_path(&options, &report));
    CHECK(strstr(report.message, "s3-fifo") && strstr(report.message, "lru"), "%s", report.message);
    options = file_options(4 << 20);
    options.create = FC_CREATE_EXCLUSIVE;
    CHECK_STATUS(FC_EXISTS, open_path(&options, &report));
    fc_close(handle);
    unlink(path);
    options = file_options(0);
    options.create = FC_ATTACH;
    CHECK_STATUS(FC_NOT_FOUND, open_path(&options, &report));
    CHECK(access(path, F_OK) != 0, "attaching made a file");
    options.create = FC_CREATE_OR_ATTACH;
    CHECK_STATUS(FC_INVALID_ARGUMENT, open_path(&options, &report));
    CHECK(access(path, F_OK) != 0, "a failed creation left a file");
}

static void content_survives_closing_and_comes_back(void) {
    uint32_t handle = create_file(4 << 20);
    CHECK_STATUS(FC_OK, fc_set(handle, "k", 1, "value", 5, FC_TYPE_ASCII, FC_SET, 0, 0));
    fc_close(handle);
    struct stat s;
    CHECK(stat(path, &s) == 0 && (s.st_mode & 0777) == 0600, "mode %o", s.st_mode & 0777);
    handle = create_file(4 << 20);
    char value[8];
    CHECK_STATUS(5, fc_get(handle, "k", 1, value, sizeof value, 0, NULL));
    verify(handle);
    fc_close(handle);
    unlink(path);
}

static void each_segment_has_its_own_hash_seed(void) {
    uint32_t first = private_open(1 << 20, 1, 0), second = private_open(1 << 20, 1, 0);
    CHECK(handle_get(first)->hash_seed != handle_get(second)->hash_seed, "the same seed twice");
    fc_close(first);
    fc_close(second);
}

static void a_closed_handle_answers_closed_also_after_another_was_opened(void) {
    uint32_t handle = private_open(1 << 20, 1, 0);
    CHECK_STATUS(FC_OK, fc_close(handle));
    uint32_t other = private_open(1 << 20, 1, 0);
    CHECK(other != handle, "the number was given again");
    CHECK_STATUS(FC_CLOSED, fc_set(handle, "k", 1, "v", 1, FC_TYPE_ASCII, FC_SET, 0, 0));
    CHECK_STATUS(FC_CLOSED, fc_close(handle));
    fc_close(other);
}

static void a_forked_child_cannot_use_the_parents_handle(void) {
    uint32_t handle = private_open(1 << 20, 1, 0);
    pid_t child = fork();
    if (child == 0) _exit(fc_delete(handle, "k", 1) == FC_CLOSED ? 0 : 1);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0, "the child's handle works");
    CHECK_STATUS(FC_OK, fc_set(handle, "k", 1, "v", 1, FC_TYPE_ASCII, FC_SET, 0, 0));
    fc_close(handle);
}

/* The system does not tell locks in the order of their bytes. */
static void handles_are_counted_whatever_slots_they_have(void) {
    const uint32_t first = create_file(1 << 20);
    const uint32_t second = create_file(0), third = create_file(0);
    CHECK_STATUS(FC_OK, fc_close(first));
    const uint32_t in_its_place = create_file(0);
    CHECK(stats_of(second).processes == 3, "%" PRIu64 " processes", stats_of(second).processes);
    CHECK(stats_of(third).processes == 3, "%" PRIu64 " processes", stats_of(third).processes);
    CHECK_STATUS(FC_OK, fc_close(second));
    CHECK_STATUS(FC_OK, fc_close(third));
    CHECK(stats_of(in_its_place).processes == 1, "closed ones are counted");
    CHECK_STATUS(FC_OK, fc_close(in_its_place));
    unlink(path);
}

static void more_memory_than_the_machine_has_is_refused(void) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_PRIVATE,
                          .create = FC_CREATE_OR_ATTACH,
                          .size_bytes = 1ull << 41};
    fc_report report;
    CHECK_STATUS(FC_NO_SPACE, fc_open(&options, NULL, 0, &report));
    CHECK(strstr(report.message, "2199023255552"), "%s", report.message);
}

static void geometries_fit_their_size(void) {
    for (uint64_t size = FC_SIZE_MIN; size < 1ull << 40; size += size / 7) {
        for (uint32_t processors = 1; processors <= 256; processors *= 4) {
            fc_options options = {.size_bytes = size};
            geometry g;
            fc_report report;
            CHECK(geometry_choose(&options, processors, &g, &report) == FC_OK, "%s",
                  report.message);
            CHECK(g.shards_offset + g.shards * g.shard_stride <= size, "shards reach over the end");
            CHECK(g.extents_offset + g.shard_data_bytes <= g.shard_stride, "extents reach over");
            CHECK(g.extents >= 128 && (g.extents < 512 || g.extent_bytes == 256u << 10),
                  "%u extents", g.extents);
            CHECK(size < 64 << 20 || g.value_len_max >= 1 << 20, "values of %" PRIu64,
                  g.value_len_max);
        }
    }
}

static void impossible_options_are_told_the_limit(void) {
    geometry g;
    fc_report report;
    CHECK_STATUS(FC_INVALID_ARGUMENT, geometry_resolve(FC_SIZE_MIN - 1, 1, 0, 0, &g, &report));
    CHECK(strstr(report.message, "1048576"), "%s", report.message);
    CHECK_STATUS(FC_INVALID_ARGUMENT, geometry_resolve(1 << 20, 3, 0, 0, &g, &report));
    CHECK_STATUS(FC_INVALID_ARGUMENT, geometry_resolve(1 << 20, 64, 0, 0, &g, &report));
    CHECK_STATUS(FC_INVALID_ARGUMENT, geometry_resolve(1 << 20, 1, 1 << 20, 0, &g, &report));
    CHECK(strstr(report.message, "limit"), "%s", report.message);
    fc_options options = {.size_bytes = 64 << 20, .value_len_max = 10 << 20};
    CHECK_STATUS(FC_OK, geometry_choose(&options, 8, &g, &report));
    CHECK(g.value_len_max == 10 << 20, "%" PRIu64, g.value_len_max);
}

int main(void) {
    snprintf(path, sizeof path, "/tmp/fastcache-segment-test-%d", (int)getpid());
    TEST(another_layout_version_is_refused_with_both_versions);
    TEST(another_byte_order_is_refused);
    TEST(a_damaged_superblock_is_refused_whatever_field_it_is);
    TEST(bytes_of_something_else_are_refused_and_left_alone);
    TEST(options_that_disagree_are_told_both_values);
    TEST(content_survives_closing_and_comes_back);
    TEST(each_segment_has_its_own_hash_seed);
    TEST(a_closed_handle_answers_closed_also_after_another_was_opened);
    TEST(a_forked_child_cannot_use_the_parents_handle);
    TEST(handles_are_counted_whatever_slots_they_have);
    TEST(more_memory_than_the_machine_has_is_refused);
    TEST(geometries_fit_their_size);
    TEST(impossible_options_are_told_the_limit);
    return TESTS_DONE();
}
