/* SPDX-License-Identifier: MIT
 *
 * system.c: error numbers, waiting, clocks, and what the machine is. Needs getrandom
 * (Linux 3.17).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../include/fastcache.h"
#include "../os.h"

const char *os_error_text(os_error error) {
    switch (error) {
    case ELOOP:
        return "it is a symbolic link, which is not followed";
    case EISDIR:
        return "it is a directory; choose another path";
    case EACCES:
        return "permission denied; this user has to be able to read and write it";
    case EMFILE:
        return "this process has too many open files; close some, or raise its limit (ulimit -n)";
    case ENOMEM:
        return "no memory or address space is left; use a smaller size, or raise the limits "
               "(ulimit -v, vm.max_map_count)";
    case EFBIG:
        return "this process may not make files so large; use a smaller size, or raise its limit "
               "(ulimit -f)";
    default:
        return strerror(error);
    }
}

int32_t os_error_status(os_error error) {
    switch (error) {
    case 0:
        return FC_OK;
    case EACCES:
    case EPERM:
    case EROFS:
        return FC_PERMISSION;
    case ENOENT:
        return FC_NOT_FOUND;
    case ENOSPC:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EFBIG:
    case EDQUOT:
    case ENOLCK:
        return FC_NO_SPACE;
    default:
        return FC_INVALID_ARGUMENT;
    }
}

/* ------------------------------------------------------------ waiting, time */

void os_wait(uint32_t *word, uint32_t expected, uint32_t wait_us) {
    struct timespec timeout = {.tv_sec = wait_us / 1000000,
                               .tv_nsec = (long)(wait_us % 1000000) * 1000};
    (void)syscall(SYS_futex, word, FUTEX_WAIT, expected, &timeout, NULL, 0);
}

void os_wake_one(uint32_t *word) { (void)syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0); }

void os_sleep_us(uint32_t us) {
    struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
    (void)nanosleep(&time, NULL); /* cut short by a signal is fine: callers loop on a deadline */
}

static uint64_t clock_us(clockid_t id) {
    struct timespec now = {0};
    (void)clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t os_uptime_us(void) { return clock_us(CLOCK_BOOTTIME); }
uint64_t os_uptime_ms(void) { return clock_us(CLOCK_BOOTTIME) / 1000; }
uint64_t os_calendar_ms(void) { return clock_us(CLOCK_REALTIME) / 1000; }

uint64_t os_boot_id(void) {
    /* Read once: later there may be no descriptor left to read it with. */
    static uint64_t known;
    uint64_t id = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (id != 0) return id;
    char text[37] = {0};
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    /* A random UUID; its last 16 hexadecimal digits are plenty. */
    for (ssize_t i = 0; i < len; i++) {
        char c = text[i];
        if (c >= '0' && c <= '9') id = id << 4 | (uint64_t)(c - '0');
        if (c >= 'a' && c <= 'f') id = id << 4 | (uint64_t)(c - 'a' + 10);
    }
    __atomic_store_n(&known, id, __ATOMIC_RELAXED);
    return id;
}

/* -------------------------------------------------------------------- misc */

bool os_random(void *to, size_t len) {
    for (size_t done = 0; done < len;) {
        long got = syscall(SYS_getrandom, (char *)to + done, len - done, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        done += (size_t)got;
    }
    return true;
}

uint32_t os_processors(void) {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (uint32_t)online : 1;
}

bool os_after_fork(void (*handler)(void)) { return pthread_atfork(NULL, NULL, handler) == 0; }
