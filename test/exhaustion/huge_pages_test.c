/* SPDX-License-Identifier: MIT
 *
 * huge_pages_test.c: a segment lies in huge pages where the system gives them for shared memory,
 * and works as well where it does not.
 */
#include "exhaustion.h"

#include "handle.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define SIZE (16u << 20)
#define HUGE_PAGE (2u << 20)
#define SIZE_ODD (SIZE + HUGE_PAGE / 2)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* Does the system make huge pages of shared memory, if asked as directly as can be? */
static bool system_gives_huge_pages(void) {
    int fd = (int)syscall(SYS_memfd_create, "probe", 1u);
    CHECK(fd >= 0 && ftruncate(fd, 2 * HUGE_PAGE) == 0, "memfd");
    uint8_t *mapped = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(mapped != MAP_FAILED, "mmap");
    uint8_t *aligned = mapped + -(uintptr_t)mapped % HUGE_PAGE;
    /* The range of the file has to be aligned as well. */
    uint8_t *fixed =
        mmap(aligned, HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    CHECK(fixed == aligned, "mmap");
    *fixed = 1;
    bool given = madvise(fixed, HUGE_PAGE, MADV_COLLAPSE) == 0;
    munmap(mapped, 2 * HUGE_PAGE);
    close(fd);
    return given;
}

/* Bytes that this process has mapped by huge pages. */
static uint64_t mapped_huge(void) {
    FILE *maps = fopen("/proc/self/smaps", "re");
    CHECK(maps, "smaps");
    uint64_t sum_kib = 0;
    char line[512];
    while (fgets(line, sizeof line, maps)) {
        unsigned long long kib;
        if (sscanf(line, "ShmemPmdMapped: %llu kB", &kib) == 1) sum_kib += kib;
    }
    fclose(maps);
    return sum_kib * 1024;
}

/* So much that the log has been all through the segment. */
static void use(uint32_t handle) {
    static uint8_t value[8000], got[8000];
    for (uint32_t key = 0; key < 2 * SIZE_ODD / sizeof value; key++) {
        fill_value(value, sizeof value, key);
        CHECK_STATUS(FC_OK, fc_set(handle, &key, sizeof key, value, sizeof value, FC_TYPE_BYTES,
                                   FC_SET, 0, 0));
        CHECK(fc_get(handle, &key, sizeof key, got, sizeof got, 0, NULL) == sizeof got &&
                  memcmp(value, got, sizeof got) == 0,
              "key %u", key);
    }
    verify(handle);
}

static void in_the_process_that_creates_and_in_one_that_attaches(void) {
    if (!system_gives_huge_pages()) SKIP("this system has no huge pages for shared memory now");
    uint32_t handle = opened(open_kind(FC_KIND_PRIVATE, FC_CREATE_OR_ATTACH, NULL, SIZE));
    use(handle);
    CHECK(mapped_huge() == SIZE, "%" PRIu64 " bytes", mapped_huge());
    fc_info_fields info;
    CHECK_STATUS(FC_OK, fc_info(handle, &info));
    fc_options options = {
        .struct_size = sizeof options, .kind = FC_KIND_FD, .create = FC_ATTACH, .fd = (int)info.fd};
    fc_report report;
    handle_get(handle)->attachment->thread = ANOTHER_THREAD;
    CHECK_STATUS(FC_OK, fc_open(&options, NULL, 0, &report));
    use(report.handle);
    CHECK(mapped_huge() == 2 * SIZE, "%" PRIu64 " bytes", mapped_huge());
    CHECK_STATUS(FC_OK, fc_close(report.handle));
    CHECK_STATUS(FC_OK, fc_close(handle));
    CHECK(mapped_huge() == 0, "%" PRIu64 " bytes", mapped_huge());
}

static void but_for_the_rest_that_fills_none(void) {
    if (!system_gives_huge_pages()) SKIP("this system has no huge pages for shared memory now");
    uint32_t handle = opened(open_kind(FC_KIND_PRIVATE, FC_CREATE_OR_ATTACH, NULL, SIZE_ODD));
    use(handle);
    CHECK(mapped_huge() == SIZE, "%" PRIu64 " bytes", mapped_huge());
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void without_any(void) {
    CHECK(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0, "prctl");
    uint32_t handle = opened(open_kind(FC_KIND_PRIVATE, FC_CREATE_OR_ATTACH, NULL, SIZE));
    use(handle);
    CHECK(mapped_huge() == 0, "%" PRIu64 " bytes", mapped_huge());
    CHECK_STATUS(FC_OK, fc_close(handle));
}
static void in_small_pages_where_the_process_wants_no_others(void) {
    succeeds_in_child(without_any);
}

int main(void) {
    TEST(in_the_process_that_creates_and_in_one_that_attaches);
    TEST(but_for_the_rest_that_fills_none);
    TEST(in_small_pages_where_the_process_wants_no_others);
    return TESTS_DONE();
}
