/* SPDX-License-Identifier: MIT
 *
 * byte_lock.c: byte locks as open-file-description locks (Linux 3.15).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../os.h"

/* In <fcntl.h> since glibc 2.20 and musl 1.1.7, but guarded by feature macros. */
#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif

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
