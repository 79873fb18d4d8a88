/* SPDX-License-Identifier: MIT
 *
 * map.c: mapping a segment, and what happens when its file is cut short meanwhile. How a file is
 * mapped, and how pages are replaced, is the system's (internal.h).
 * Invariant: an address that faults is looked for in `mappings` without any lock.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../os.h"
#include "internal.h"

/* What is mapped, for the signal handler: no locks. More rows than a process has handles. `base` is
 * 0 in a free row, ROW_TAKEN in one that is being filled in or emptied, and stored last. */
typedef struct mapping {
    uintptr_t base, end;
    uint32_t *lost;
} mapping;

#define MAPPINGS_MAX 8192u
#define ROW_TAKEN 1u

static mapping mappings[MAPPINGS_MAX];
static struct sigaction previous_action;
static uintptr_t page_mask;
static pthread_once_t bus_once = PTHREAD_ONCE_INIT;

/* Puts zeros where the file behind the address has ended. False if the address is not ours. */
static bool replace_lost_pages(uintptr_t address) {
    for (uint32_t i = 0; i < MAPPINGS_MAX; i++) {
        mapping *m = &mappings[i];
        uintptr_t base = __atomic_load_n(&m->base, __ATOMIC_ACQUIRE); /* pairs with os_map */
        if (base <= ROW_TAKEN || address < base || address >= m->end) continue;
        __atomic_store_n(m->lost, 1, __ATOMIC_RELEASE); /* before anyone can read the zeros */
        uintptr_t from = address & page_mask;
        return map_zeros(from, m->end - from);
    }
    return false;
}

/* As if we had never been there. */
static void pass_on(int signal, siginfo_t *info, void *context) {
    if (previous_action.sa_flags & SA_SIGINFO) {
        previous_action.sa_sigaction(signal, info, context);
    } else if (previous_action.sa_handler == SIG_IGN && info->si_code <= 0) {
        return; /* somebody sent it; a fault cannot be ignored */
    } else if (previous_action.sa_handler == SIG_IGN || previous_action.sa_handler == SIG_DFL) {
        struct sigaction standard = {.sa_handler = SIG_DFL};
        (void)sigaction(signal, &standard, NULL);
        (void)raise(signal); /* arrives when our handler returns */
    } else {
        previous_action.sa_handler(signal);
    }
}

static void on_bus_error(int signal, siginfo_t *info, void *context) {
    const int saved = errno;
    bool ours = info->si_code == BUS_ADRERR && replace_lost_pages((uintptr_t)info->si_addr);
    errno = saved;
    if (!ours) pass_on(signal, info, context);
}

static void watch_bus_errors(void) {
    page_mask = ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
    struct sigaction action = {.sa_sigaction = on_bus_error,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    (void)sigaction(SIGBUS, &action, &previous_action);
}

/* The library may be unloaded: its handler must not stay behind. */
__attribute__((destructor)) static void unwatch_bus_errors(void) {
    struct sigaction now;
    if (sigaction(SIGBUS, NULL, &now) == 0 && now.sa_sigaction == on_bus_error)
        (void)sigaction(SIGBUS, &previous_action, NULL);
}

static bool mapping_add(void *base, uint64_t size_bytes, uint32_t *lost) {
    for (uint32_t i = 0; i < MAPPINGS_MAX; i++) {
        uintptr_t free_row = 0;
        if (!__atomic_compare_exchange_n(&mappings[i].base, &free_row, ROW_TAKEN, false,
                                         __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            continue;
        mappings[i].end = (uintptr_t)base + size_bytes;
        mappings[i].lost = lost;
        __atomic_store_n(&mappings[i].base, (uintptr_t)base, __ATOMIC_RELEASE);
        return true;
    }
    return false;
}

static void mapping_remove(void *base) {
    for (uint32_t i = 0; i < MAPPINGS_MAX; i++) {
        uintptr_t row = (uintptr_t)base;
        if (__atomic_compare_exchange_n(&mappings[i].base, &row, 0, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
            return;
    }
}

os_error os_map(int fd, uint64_t size_bytes, uint32_t *lost, void **base) {
    pthread_once(&bus_once, watch_bus_errors);
    *lost = 0;
    void *mapped = map_file(fd, size_bytes);
    if (mapped == MAP_FAILED) return errno;
    if (!mapping_add(mapped, size_bytes, lost)) {
        munmap(mapped, size_bytes);
        return ENOMEM;
    }
    *base = mapped;
    return 0;
}

void os_unmap(void *base, uint64_t size_bytes) {
    mapping_remove(base);
    munmap(base, size_bytes);
}
