/* SPDX-License-Identifier: MIT
 *
 * shared_memory.c: where shared memory is had, with a name and without one, and how an open file is
 * opened again without its name. Needs memfd_create (Linux 3.17) and /proc for the latter two.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../os.h"
#include "../posix/internal.h"

const char shared_memory_directory[] = "/dev/shm/";

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
