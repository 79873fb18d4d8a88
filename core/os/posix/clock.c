/* SPDX-License-Identifier: MIT
 *
 * clock.c: reading clocks, the calendar, and sleeping. Which clock counts from the boot on, and
 * goes on while the machine sleeps, is the system's to know.
 */
#define _XOPEN_SOURCE 700
#include <time.h>

#include "../os.h"
#include "internal.h"

uint64_t clock_read_us(clockid_t id) {
    struct timespec now = {0};
    (void)clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t os_calendar_ms(void) { return clock_read_us(CLOCK_REALTIME) / 1000; }

void os_sleep_us(uint32_t us) {
    struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
    (void)nanosleep(&time, NULL); /* cut short by a signal is fine: callers loop on a deadline */
}
