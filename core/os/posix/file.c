/* SPDX-License-Identifier: MIT
 *
 * file.c: files: opening, reading, writing, their sizes and limits. A file is made with mode 0600
 * and is never opened through a symbolic link.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../os.h"
#include "internal.h"

os_error os_file_open(const char *path, bool create, int *fd) {
    int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (create ? O_CREAT : 0);
    int opened;
    do opened = open(path, flags, 0600);
    while (opened < 0 && errno == EINTR);
    if (opened < 0) return errno;
    *fd = opened;
    return 0;
}

os_error os_file_state_get(int fd, os_file_state *state) {
    struct stat s;
    if (fstat(fd, &s) != 0) return errno;
    *state = (os_file_state){
        .size_bytes = s.st_size > 0 ? (uint64_t)s.st_size : 0,
        .ours = s.st_uid == geteuid(),
        .regular = S_ISREG(s.st_mode),
        .linked = s.st_nlink > 0,
        .private_mode = (s.st_mode & 077) == 0,
        .in_memory = file_in_memory(fd),
        .device = (uint64_t)s.st_dev,
        .inode = (uint64_t)s.st_ino,
        .birth_ns = file_birth_ns(fd),
    };
    return 0;
}

os_error os_file_read(int fd, uint64_t offset, void *to, size_t len) {
    for (size_t done = 0; done < len;) {
        ssize_t got = pread(fd, (char *)to + done, len - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) return EINVAL;
        done += (size_t)got;
    }
    return 0;
}

bool over_size_limit(uint64_t size_bytes) {
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           size_bytes > limit.rlim_cur;
}

os_error os_file_write(int fd, uint64_t offset, const void *from, size_t len) {
    if (over_size_limit(offset + len)) return EFBIG;
    for (size_t done = 0; done < len;) {
        ssize_t put = pwrite(fd, (const char *)from + done, len - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return errno;
        done += (size_t)put;
    }
    return 0;
}

os_error write_zeros(int fd, uint64_t size_bytes) {
    static const char zeros[65536];
    os_error error = 0;
    for (uint64_t at = 0; at < size_bytes && !error; at += sizeof zeros) {
        uint64_t left = size_bytes - at;
        error = os_file_write(fd, at, zeros, left < sizeof zeros ? (size_t)left : sizeof zeros);
    }
    return error;
}

os_error os_file_truncate(int fd, uint64_t size_bytes) {
    return ftruncate(fd, (off_t)size_bytes) == 0 ? 0 : errno;
}

os_error os_file_sync(int fd) {
    int done;
    do done = fdatasync(fd);
    while (done < 0 && errno == EINTR);
    return done == 0 ? 0 : errno;
}

void os_file_close(int fd) { close(fd); }

os_error os_file_unlink(const char *path) { return unlink(path) == 0 ? 0 : errno; }

os_error os_file_rename(const char *from, const char *to) {
    return rename(from, to) == 0 ? 0 : errno;
}

uint64_t os_file_system_bytes(int fd) {
    struct statvfs s;
    if (fstatvfs(fd, &s) != 0) return 0;
    return (uint64_t)s.f_blocks * (uint64_t)s.f_frsize;
}
