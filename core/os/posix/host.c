/* SPDX-License-Identifier: MIT
 *
 * host.c: how many processors there are, and notice of forks.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <unistd.h>

#include "../os.h"

uint32_t os_processors(void) {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (uint32_t)online : 1;
}

bool os_after_fork(void (*handler)(void)) { return pthread_atfork(NULL, NULL, handler) == 0; }
