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
#include "hash.h"
#include "layout.h"

static char path[256];
static char name[64]; /* of a segment in shared memory */

/* Also when a check fails. */
static void remove_both(void) {
    fc_report report;
    (void)unlink(path);
    (void)fc_destroy(FC_KIND_SHM, name, (uint32_t)strlen(name), &report);
}

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
            "version 77", "version 5");
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
    options.shards = 3; /* which no segment can have */
    CHECK_STATUS(FC_LAYOUT_MISMATCH, open_path(&options, &report));
    options = file_options(4 << 20);
    options.shards = 3;
    CHECK_STATUS(FC_INVALID_ARGUMENT, open_path(&options, &report));
    options = file_options(0);
    options.max_entries = 1000;
    CHECK_STATUS(FC_LAYOUT_MISMATCH, open_path(&options, &report));
    CHECK(strstr(report.message, "maxEntries is asked to be 1000") &&
              strstr(report.message, "has 0"),
          "%s", report.message);
    options = file_options(0);
    options.value_len_max = 1000;
    CHECK_STATUS(FC_LAYOUT_MISMATCH, open_path(&options, &report));
    CHECK(strstr(report.message, "maxValueSize is asked to be 1000"), "%s", report.message);
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

static void options_that_agree_are_accepted(void) {
    fc_options options = file_options(4 << 20);
    options.shards = 2;
    options.max_entries = 1000;
    options.value_len_max = 5000;
    options.eviction = FC_EVICTION_S3FIFO;
    fc_report report;
    for (int i = 0; i < 2; i++) {
        CHECK(open_path(&options, &report) == FC_OK, "%s", report.message);
        CHECK(report.created == (i == 0), "created %u", report.created);
        fc_info_fields info;
        CHECK_STATUS(FC_OK, fc_info(report.handle, &info));
        CHECK(info.shards == 2 && info.max_entries == 1000 && info.value_len_max == 5000 &&
                  info.eviction == FC_EVICTION_S3FIFO && info.kind == FC_KIND_FILE,
              "not what was asked for");
        CHECK_STATUS(FC_OK, fc_close(report.handle));
    }
    unlink(path);
}

/* Superblocks that are whole, but of a library that lays segments out differently. */
static void disagrees(void (*change)(superblock *), int32_t expected, const char *words) {
    fc_close(create_file(1 << 20));
    superblock block;
    int fd = open(path, O_RDWR);
    CHECK(fd >= 0 && pread(fd, &block, sizeof block, 0) == sizeof block, "cannot read");
    change(&block);
    superblock fixed = block;
    fixed.state = 0;
    block.checksum = fc_hash(&fixed, offsetof(superblock, checksum), LAYOUT_MAGIC);
    CHECK(pwrite(fd, &block, sizeof block, 0) == sizeof block, "cannot write");
    close(fd);
    fc_options options = file_options(0);
    fc_report report;
    CHECK_STATUS(expected, open_path(&options, &report));
    CHECK(strstr(report.message, words), "\"%s\" does not say \"%s\"", report.message, words);
    unlink(path);
}

static void more_bytes(superblock *block) { block->size_bytes += SEGMENT_PAGE; }
static void more_features(superblock *block) { block->features_incompatible = 8; }
static void another_policy(superblock *block) { block->eviction = 3; }
static void no_policy(superblock *block) { block->eviction = 0; }
static void three_shards(superblock *block) { block->shards = 3; }
static void large_values(superblock *block) { block->value_len_max = 1 << 20; }
static void fewer_slots(superblock *block) { block->slots--; }
static void fewer_extents(superblock *block) { block->extents--; }
static void larger_extents(superblock *block) { block->extent_bytes *= 2; }
static void later_shards(superblock *block) { block->shards_offset += 64; }
static void wider_shards(superblock *block) { block->shard_stride += 64; }
static void later_extents(superblock *block) { block->extents_offset += 64; }
static void half_made(superblock *block) { block->state = 0x33; }

static void a_segment_laid_out_differently_is_refused_and_told_why(void) {
    disagrees(more_bytes, FC_CORRUPT, "its file has 1048576");
    disagrees(more_features, FC_LAYOUT_MISMATCH, "features 0000000000000008");
    disagrees(another_policy, FC_LAYOUT_MISMATCH, "policy is number 3");
    disagrees(no_policy, FC_LAYOUT_MISMATCH, "policy is number 0");
    disagrees(three_shards, FC_CORRUPT, "impossible: shards is 3");
    disagrees(large_values, FC_CORRUPT, "impossible: the largest value");
    disagrees(fewer_slots, FC_LAYOUT_MISMATCH, "this library makes");
    disagrees(fewer_extents, FC_LAYOUT_MISMATCH, "this library makes");
    disagrees(larger_extents, FC_LAYOUT_MISMATCH, "this library makes");
    disagrees(later_shards, FC_LAYOUT_MISMATCH, "this library makes");
    disagrees(wider_shards, FC_LAYOUT_MISMATCH, "this library makes");
    disagrees(later_extents, FC_LAYOUT_MISMATCH, "this library makes");
    disagrees(half_made, FC_CORRUPT, "state is 51");
}

/* Without a word where the caller wants none. */
static void failures_are_told_by_status_alone_where_no_report_is_asked_for(void) {
    CHECK_STATUS(FC_NOT_FOUND, fc_destroy(FC_KIND_FILE, path, (uint32_t)strlen(path), NULL));
    fc_close(create_file(1 << 20));
    CHECK_STATUS(FC_OK, fc_destroy(FC_KIND_FILE, path, (uint32_t)strlen(path), NULL));
}

/* A path ends where its length says, whatever was there before. */
static void the_path_that_is_destroyed_is_the_one_that_was_asked_for(void) {
    char longer[300];
    snprintf(longer, sizeof longer, "%s-longer", path);
    const uint32_t len = (uint32_t)strlen(path);
    fc_options options = file_options(1 << 20);
    fc_report report;
    fc_close(create_file(1 << 20));
    CHECK(fc_open(&options, longer, len + 7, &report) == FC_OK, "%s", report.message);
    CHECK_STATUS(FC_OK, fc_close(report.handle));
    CHECK_STATUS(FC_OK, fc_destroy(FC_KIND_FILE, longer, len + 7, &report));
    CHECK_STATUS(FC_OK, fc_destroy(FC_KIND_FILE, longer, len, &report));
    CHECK(access(path, F_OK) != 0, "it is still there");
}

/* Bytes of a list of names, one a line. */
static bool lists(const char *list, int32_t len) {
    const size_t name_len = strlen(name);
    for (const char *at = list; at < list + len; at = (const char *)memchr(at, '\n', 300) + 1)
        if (strncmp(at, name, name_len) == 0 && at[name_len] == '\n') return true;
    return false;
}

static void a_name_is_listed_until_its_segment_is_destroyed(void) {
    const uint32_t len = (uint32_t)strlen(name);
    fc_options options = file_options(1 << 20);
    options.kind = FC_KIND_SHM;
    fc_report report;
    CHECK(fc_open(&options, name, len, &report) == FC_OK, "%s", report.message);
    const uint32_t handle = report.handle;
    static char list[1 << 16];
    const int32_t listed = fc_list(list, sizeof list);
    CHECK(listed > 0 && listed < (int32_t)sizeof list && lists(list, listed), "%d bytes", listed);
    /* Others may come and go meanwhile; too little room is told, and not exceeded. */
    list[1] = 'x';
    CHECK(fc_list(list, 1) > 1 && list[1] == 'x', "more was written than there is room for");
    CHECK(fc_list(NULL, 0) > 0, "no length is told");
    CHECK_STATUS(FC_OK, fc_destroy(FC_KIND_SHM, name, len, &report));
    CHECK(!lists(list, fc_list(list, sizeof list)), "it is still listed");
    CHECK_STATUS(FC_NOT_FOUND, fc_destroy(FC_KIND_SHM, name, len, &report));
    /* Who is attached goes on. */
    CHECK_STATUS(FC_OK, fc_set(handle, "k", 1, "v", 1, FC_TYPE_BYTES, FC_SET, 0, 0));
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void paths_that_no_file_can_have_are_refused(void) {
    fc_options options = file_options(1 << 20);
    fc_report report;
    static char longest[4097];
    memset(longest, 'p', sizeof longest);
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_open(&options, longest, sizeof longest - 1, &report));
    CHECK(strstr(report.message, "4096 bytes") && strstr(report.message, "1 to 4095"), "%s",
          report.message);
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_open(&options, longest, 0, &report));
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_open(&options, "/tmp/a\0b", 8, &report));
    CHECK(strstr(report.message, "zero byte"), "%s", report.message);
    CHECK_STATUS(FC_INVALID_ARGUMENT, fc_destroy(FC_KIND_PRIVATE, "a", 1, &report));
    CHECK(strstr(report.message, "kind 2 has no name"), "%s", report.message);
    options.kind = FC_KIND_FD;
    options.fd = -1;
    CHECK_STATUS(FC_NOT_FOUND, fc_open(&options, NULL, 0, &report));
    int fd = memfd_create("empty", MFD_CLOEXEC);
    CHECK(fd >= 0 && fchmod(fd, 0600) == 0, "memfd");
    options.fd = fd;
    CHECK_STATUS(FC_NOT_FOUND, fc_open(&options, NULL, 0, &report));
    CHECK(strstr(report.message, "inherited descriptor"), "%s", report.message);
    close(fd);
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

/* Generations have 20 bits; a handle is never 0. */
static void a_handle_is_never_zero_also_after_a_million(void) {
    for (uint32_t i = 0; i < HANDLES_MAX; i++)
        if (!handle_table[i].cache) handle_table[i].generation = (1u << 20) - 1;
    const uint32_t handle = private_open(1 << 20, 1, 0);
    CHECK(handle >> HANDLE_INDEX_BITS == 1, "generation %u", handle >> HANDLE_INDEX_BITS);
    CHECK_STATUS(FC_OK, fc_set(handle, "k", 1, "v", 1, FC_TYPE_ASCII, FC_SET, 0, 0));
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK_STATUS(FC_CLOSED, fc_has(handle, "k", 1));
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

static void more_memory_than_the_machine_has_is_refused(void) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_PRIVATE,
                          .create = FC_CREATE_OR_ATTACH,
                          .size_bytes = 1ull << 41};
    fc_report report;
    CHECK_STATUS(FC_NO_SPACE, fc_open(&options, NULL, 0, &report));
    CHECK(strstr(report.message, "2199023255552"), "%s", report.message);
}

/* One table behind the other, each from a line on, and as large as layout.h and geometry.h say. */
static void tables_fit(const geometry *g) {
    const uint64_t slots_end = SEGMENT_PAGE + g->slots * sizeof(process_slot);
    CHECK(g->tags_offset >= slots_end && g->tags_offset < slots_end + SEGMENT_PAGE, "tags");
    CHECK(g->tag_slots * 8 * 128 <= g->size_bytes && (g->tag_slots + 1) * 8 * 128 > g->size_bytes,
          "%" PRIu64 " tags", g->tag_slots);
    CHECK(g->shards_offset >= g->tags_offset + 8 * g->tag_slots, "shards");
    CHECK(g->lease_lines >= 16 && g->lease_lines <= 256 && is_power_of_two(g->lease_lines),
          "%u leases", g->lease_lines);
    CHECK(is_power_of_two(g->stamps) && g->stamps <= g->shard_stride / 2048 &&
              2ull * g->stamps > g->shard_stride / 2048,
          "%u stamps", g->stamps);
    CHECK(g->lives_offset == SHARD_LEASES_OFFSET + g->lease_lines * CACHE_LINE, "lives");
    CHECK(g->states_offset >= g->lives_offset + g->extents * sizeof(extent_life), "states");
    CHECK(g->stamps_offset >= g->states_offset + g->extents * sizeof(extent_state), "stamps");
    CHECK(g->extents_offset >= g->stamps_offset + g->stamps * 8ull, "extents");
    const uint64_t offsets[] = {g->tags_offset,   g->shards_offset, g->shard_stride,
                                g->lives_offset,  g->states_offset, g->stamps_offset,
                                g->extents_offset};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
        CHECK(offsets[i] % CACHE_LINE == 0, "offset %zu is %" PRIu64, i, offsets[i]);
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
            tables_fit(&g);
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
    CHECK_STATUS(FC_INVALID_ARGUMENT, geometry_resolve((1ull << 41) + 1, 1, 0, 0, &g, &report));
    CHECK(strstr(report.message, "to 2199023255552"), "%s", report.message);
    CHECK_STATUS(FC_OK, geometry_resolve(1ull << 41, 1, 0, 0, &g, &report));
    CHECK_STATUS(FC_INVALID_ARGUMENT, geometry_resolve(1ull << 41, 2048, 0, 0, &g, &report));
    CHECK(strstr(report.message, "from 1 to 1024"), "%s", report.message);
    /* Room for 128 extents, but for the tables in front of them not. */
    CHECK_STATUS(FC_INVALID_ARGUMENT, geometry_resolve(1113248, 2, 0, 0, &g, &report));
    CHECK(strstr(report.message, "2 shards are too many"), "%s", report.message);
    fc_options options = {.size_bytes = 64 << 20, .value_len_max = 10 << 20};
    CHECK_STATUS(FC_OK, geometry_choose(&options, 8, &g, &report));
    CHECK(g.shards == 1, "%u shards have no room for such a value", g.shards);
    CHECK(g.value_len_max == 10 << 20, "%" PRIu64, g.value_len_max);
    /* Few entries are not spread over many shards. */
    options = (fc_options){.size_bytes = 256 << 20, .max_entries = 10000};
    CHECK_STATUS(FC_OK, geometry_choose(&options, 8, &g, &report));
    CHECK(g.shards == 2 && g.shard_entries_max == 5000, "%u shards", g.shards);
}

int main(void) {
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/fastcache-segment-test-%d", folder ? folder : "/tmp",
             (int)getpid());
    snprintf(name, sizeof name, "Segment_test.C-%d", (int)getpid());
    atexit(remove_both);
    TEST(another_layout_version_is_refused_with_both_versions);
    TEST(another_byte_order_is_refused);
    TEST(a_damaged_superblock_is_refused_whatever_field_it_is);
    TEST(bytes_of_something_else_are_refused_and_left_alone);
    TEST(options_that_disagree_are_told_both_values);
    TEST(options_that_agree_are_accepted);
    TEST(a_segment_laid_out_differently_is_refused_and_told_why);
    TEST(failures_are_told_by_status_alone_where_no_report_is_asked_for);
    TEST(the_path_that_is_destroyed_is_the_one_that_was_asked_for);
    TEST(a_name_is_listed_until_its_segment_is_destroyed);
    TEST(paths_that_no_file_can_have_are_refused);
    TEST(content_survives_closing_and_comes_back);
    TEST(each_segment_has_its_own_hash_seed);
    TEST(a_closed_handle_answers_closed_also_after_another_was_opened);
    TEST(a_handle_is_never_zero_also_after_a_million);
    TEST(a_forked_child_cannot_use_the_parents_handle);
    TEST(more_memory_than_the_machine_has_is_refused);
    TEST(geometries_fit_their_size);
    TEST(impossible_options_are_told_the_limit);
    return TESTS_DONE();
}
