/* SPDX-License-Identifier: MIT
 *
 * reserve.c: has the system set aside all memory of a segment before anything uses it, in huge
 * pages where it can. MADV_COLLAPSE (Linux 6.1) makes huge pages of shared memory whatever
 * /sys/kernel/mm/transparent_hugepage/shmem_enabled says, unless that is "deny". Whoever maps
 * the file aligned then uses them (map_file.c).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../os.h"
#include "../posix/internal.h"
#include "internal.h"

/* Younger than the C libraries that we build against. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* How long making huge pages may take before the rest is small ones: well below what others wait
 * for a creator (segment.c), whatever the size, and not too long for who waits in open. */
#define HUGE_PAGES_US_MAX 3000000u

static os_error allocate(int fd, uint64_t offset, uint64_t len) {
    /* The system call itself: C libraries do not agree on how posix_fallocate tells an error. */
    long done;
    do done = syscall(SYS_fallocate, fd, 0, (long)offset, (long)len);
    while (done < 0 && errno == EINTR);
    return done == 0 ? 0 : errno;
}

/* False if there is no use in trying further. What was only busy is tried once more, then left
 * small. */
static bool collapse(uint8_t *at) {
    for (int i = 0; i < 2; i++) {
        if (madvise(at, HUGE_PAGE_BYTES, MADV_COLLAPSE) == 0) return true;
        if (errno != EAGAIN) return false;
    }
    return true;
}

/* As many huge pages as the system gives from the beginning on, in empty shared memory. Why it
 * gave no more is of no interest: what is missing is allocated in small pages. */
static void allocate_huge(int fd, uint64_t size_bytes) {
    const uint64_t end = size_bytes / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
    if (end == 0) return;
    uint8_t *base = map_aligned(fd, end);
    if (base == MAP_FAILED) return;
    const uint64_t deadline_us = os_uptime_us() + HUGE_PAGES_US_MAX;
    for (uint64_t at = 0; at < end && os_uptime_us() < deadline_us; at += HUGE_PAGE_BYTES) {
        /* One small page has to be there: the kernel takes an empty range for a cut file. */
        if (allocate(fd, at, 1) != 0) break;
        if (!collapse(base + at)) break;
    }
    munmap(base, end);
}

os_error os_file_reserve(int fd, uint64_t size_bytes) {
    if (over_size_limit(size_bytes)) return EFBIG;
    const bool in_memory = file_in_memory(fd);
    if (ftruncate(fd, (off_t)size_bytes) != 0) return errno;
    if (in_memory) allocate_huge(fd, size_bytes);
    os_error error = allocate(fd, 0, size_bytes);
    return error == EOPNOTSUPP ? write_zeros(fd, size_bytes) : error;
}
