/* SPDX-License-Identifier: MIT
 *
 * host.c: how many processors there are, which process this is, and notice of forks.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <unistd.h>

#include "../os.h"

uint32_t os_processors(void) {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (uint32_t)online : 1;
}

static uint64_t process_id;
static void forget_process_id(void) { process_id = 0; }
static void watch_process_id(void) { (void)os_after_fork(forget_process_id); }

/* A random number: numbers of processes mean nothing in another PID namespace. */
uint64_t os_process_id(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_process_id);
    uint64_t known = __atomic_load_n(&process_id, __ATOMIC_RELAXED);
    uint64_t made = 0;
    if (known != 0) return known;
    if (!os_random(&made, sizeof made) || made == 0)
        made = os_uptime_us() << 22 | (uint64_t)getpid();
    return __atomic_compare_exchange_n(&process_id, &known, made, false, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED)
               ? made
               : known;
}

bool os_after_fork(void (*handler)(void)) { return pthread_atfork(NULL, NULL, handler) == 0; }
