/* SPDX-License-Identifier: MIT
 *
 * wait.c: sleeping until another process wakes one, with a futex that is not private to a process.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../os.h"

void os_wait(uint32_t *word, uint32_t expected, uint32_t wait_us) {
    struct timespec timeout = {.tv_sec = wait_us / 1000000,
                               .tv_nsec = (long)(wait_us % 1000000) * 1000};
    (void)syscall(SYS_futex, word, FUTEX_WAIT, expected, &timeout, NULL, 0);
}

void os_wake_one(uint32_t *word) { (void)syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0); }
