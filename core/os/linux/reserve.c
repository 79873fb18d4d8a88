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
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../check.h"
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

/* The number behind `name` in a file of lines such as "MemAvailable:  123 kB", or of a number only
 * (`name` empty). UINT64_MAX if there is none. */
static uint64_t number_in(const char *path, const char *name) {
    FILE *file = fopen(path, "re");
    if (!file) return UINT64_MAX;
    char line[256];
    uint64_t number = UINT64_MAX;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, name, strlen(name)) != 0) continue;
        unsigned long long value;
        if (sscanf(line + strlen(name), "%llu", &value) == 1) number = value;
        break;
    }
    fclose(file);
    return number;
}

/* What the machine, or the container's own limit, still has. */
static uint64_t memory_available(void) {
    uint64_t kib = number_in("/proc/meminfo", "MemAvailable:");
    uint64_t swap_kib = number_in("/proc/meminfo", "SwapFree:");
    uint64_t available = kib < UINT64_MAX / 2048 ? kib * 1024 : UINT64_MAX;
    if (available != UINT64_MAX && swap_kib < UINT64_MAX / 2048) available += swap_kib * 1024;
    uint64_t limit = number_in("/sys/fs/cgroup/memory.max", "");
    uint64_t used = number_in("/sys/fs/cgroup/memory.current", "");
    if (limit != UINT64_MAX && used != UINT64_MAX)
        available = min_u64(available, limit > used ? limit - used : 0);
    return available;
}

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
    /* Memory without a limit of its own would be granted until the kernel kills somebody. */
    if (in_memory && size_bytes > memory_available()) return ENOMEM;
    if (ftruncate(fd, (off_t)size_bytes) != 0) return errno;
    if (in_memory) allocate_huge(fd, size_bytes);
    os_error error = allocate(fd, 0, size_bytes);
    return error == EOPNOTSUPP ? write_zeros(fd, size_bytes) : error;
}
