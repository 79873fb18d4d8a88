/* SPDX-License-Identifier: MIT
 *
 * file.c: what Linux tells of a file beyond POSIX: whether it lies in memory, and when it was made.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../posix/internal.h"

bool file_in_memory(int fd) {
    struct statfs s;
    return fstatfs(fd, &s) == 0 && (s.f_type == TMPFS_MAGIC || s.f_type == RAMFS_MAGIC);
}

/* The system call itself (Linux 4.11): C libraries that we build against lack it, or the times. */
uint64_t file_birth_ns(int fd) {
    struct statx s;
    if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_BTIME, &s) != 0) return 0;
    if (!(s.stx_mask & STATX_BTIME)) return 0;
    return (uint64_t)s.stx_btime.tv_sec * 1000000000u + s.stx_btime.tv_nsec;
}
