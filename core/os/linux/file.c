/* SPDX-License-Identifier: MIT
 *
 * file.c: files, their byte locks, and the names in shared memory. Needs open-file-description
 * locks (Linux 3.15) and memfd_create (3.17).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../os.h"
#include "internal.h"

#define SHARED_MEMORY_DIRECTORY "/dev/shm/"
#define SHARED_MEMORY_PREFIX "fastcache-"

/* In <fcntl.h> since glibc 2.20 and musl 1.1.7, but guarded by feature macros. */
#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif

os_error os_file_open(const char *path, bool create, int *fd) {
    int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (create ? O_CREAT : 0);
    int opened;
    do opened = open(path, flags, 0600);
    while (opened < 0 && errno == EINTR);
    if (opened < 0) return errno;
    *fd = opened;
    return 0;
}

os_error os_file_anonymous(int *fd) {
    /* MFD_CLOEXEC; the call is younger than the glibc that we build against. */
    long created = syscall(SYS_memfd_create, "fastcache", 1u);
    if (created < 0) return errno;
    *fd = (int)created;
    if (fchmod(*fd, 0600) != 0) {
        os_error error = errno;
        close(*fd);
        return error;
    }
    return 0;
}

os_error os_file_reopen(int fd, int *reopened) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int opened = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (opened < 0) return errno;
    *reopened = opened;
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

os_error os_file_truncate(int fd, uint64_t size_bytes) {
    return ftruncate(fd, (off_t)size_bytes) == 0 ? 0 : errno;
}

void os_file_close(int fd) { close(fd); }

os_error os_file_unlink(const char *path) { return unlink(path) == 0 ? 0 : errno; }

bool os_shared_memory_path(const char *name, size_t name_len, char *path, size_t capacity) {
    int len = snprintf(path, capacity, SHARED_MEMORY_DIRECTORY SHARED_MEMORY_PREFIX "%.*s",
                       (int)name_len, name);
    return len > 0 && (size_t)len < capacity;
}

os_error os_shared_memory_list(void (*visit)(void *context, const char *name, size_t len),
                               void *context) {
    DIR *directory = opendir(SHARED_MEMORY_DIRECTORY);
    if (!directory) return errno;
    const size_t prefix_len = sizeof SHARED_MEMORY_PREFIX - 1;
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        if (strncmp(entry->d_name, SHARED_MEMORY_PREFIX, prefix_len) != 0) continue;
        struct stat s;
        if (fstatat(dirfd(directory), entry->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (!S_ISREG(s.st_mode) || s.st_uid != geteuid()) continue;
        visit(context, entry->d_name + prefix_len, strlen(entry->d_name) - prefix_len);
    }
    closedir(directory);
    return 0;
}

uint64_t os_file_system_bytes(int fd) {
    struct statfs s;
    if (fstatfs(fd, &s) != 0) return 0;
    return (uint64_t)s.f_blocks * (uint64_t)s.f_bsize;
}

/* -------------------------------------------------------------- byte locks */

static struct flock byte_range(short type, uint64_t offset, uint64_t end) {
    struct flock range = {.l_type = type, .l_whence = SEEK_SET};
    range.l_start = (off_t)offset;
    range.l_len = (off_t)(end - offset);
    return range; /* l_pid is 0, as these locks require */
}

os_error os_byte_lock(int fd, uint64_t offset) {
    struct flock range = byte_range(F_WRLCK, offset, offset + 1);
    if (fcntl(fd, F_OFD_SETLK, &range) == 0) return 0;
    return errno == EAGAIN || errno == EACCES ? OS_LOCKED : errno;
}

void os_byte_unlock(int fd, uint64_t offset) {
    struct flock range = byte_range(F_UNLCK, offset, offset + 1);
    (void)fcntl(fd, F_OFD_SETLK, &range); /* unlocking what we hold cannot fail */
}

bool os_byte_held(int fd, uint64_t offset, uint64_t end, uint64_t *found) {
    struct flock range = byte_range(F_WRLCK, offset, end);
    /* When the kernel cannot say, nobody is declared dead. */
    if (fcntl(fd, F_OFD_GETLK, &range) != 0) {
        *found = offset;
        return true;
    }
    if (range.l_type == F_UNLCK) return false;
    *found = (uint64_t)range.l_start < offset ? offset : (uint64_t)range.l_start;
    return true;
}
