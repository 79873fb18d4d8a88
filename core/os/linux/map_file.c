/* SPDX-License-Identifier: MIT
 *
 * map_file.c: mapping a file where huge pages fit it, and replacing pages of it.
 * Invariant: a large mapping begins at a multiple of HUGE_PAGE_BYTES, if address space allows.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../posix/internal.h"
#include "internal.h"

/* An address range of at least `size_bytes`, of which nothing is mapped yet, at a multiple of huge
 * pages; NULL if there is no room. */
static void *aligned_range(uint64_t size_bytes) {
    const uint64_t reserved_bytes = size_bytes + HUGE_PAGE_BYTES;
    uint8_t *reserved =
        mmap(NULL, reserved_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) return NULL;
    const uint64_t before = -(uintptr_t)reserved % HUGE_PAGE_BYTES;
    if (before) munmap(reserved, before);
    const uint64_t after = HUGE_PAGE_BYTES - before;
    munmap(reserved + before + size_bytes, after);
    return reserved + before;
}

void *map_aligned(int fd, uint64_t size_bytes) {
    const uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    const uint64_t mapped_bytes = (size_bytes + page_bytes - 1) / page_bytes * page_bytes;
    void *range = mapped_bytes >= HUGE_PAGE_BYTES ? aligned_range(mapped_bytes) : NULL;
    const int protection = PROT_READ | PROT_WRITE;
    if (!range) return mmap(NULL, mapped_bytes, protection, MAP_SHARED, fd, 0);
    void *mapped = mmap(range, mapped_bytes, protection, MAP_SHARED | MAP_FIXED, fd, 0);
    if (mapped == MAP_FAILED) munmap(range, mapped_bytes); /* changes no errno: it succeeds */
    return mapped;
}

void *map_file(int fd, uint64_t size_bytes) {
    void *mapped = map_aligned(fd, size_bytes);
    if (mapped == MAP_FAILED) return mapped;
    /* A cache's pages are of no use in a core dump; huge pages are where the system allows
     * them for shared memory. Both are advice: a refusal changes nothing. */
    (void)madvise(mapped, size_bytes, MADV_DONTDUMP);
    (void)madvise(mapped, size_bytes, MADV_HUGEPAGE);
    return mapped;
}

bool map_zeros(uintptr_t from, size_t len) {
    /* The system call itself: musl's mmap may wait for other threads first. */
    long mapped = syscall(SYS_mmap, from, len, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return mapped == (long)from;
}
