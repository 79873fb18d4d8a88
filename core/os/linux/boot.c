/* SPDX-License-Identifier: MIT
 *
 * boot.c: the time since boot, and which boot it was. CLOCK_BOOTTIME counts the time asleep.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "../os.h"
#include "../posix/internal.h"

uint64_t os_uptime_us(void) { return clock_read_us(CLOCK_BOOTTIME); }
uint64_t os_uptime_ms(void) { return clock_read_us(CLOCK_BOOTTIME) / 1000; }

/* The clock since boot has no coarse form, and the coarse monotonic one stands still while the
 * machine sleeps. So the sum of all sleep is remembered, and read anew whenever the calendar has
 * come further than the monotonic clock: after sleep it has, by as much. (Setting the calendar only
 * costs a reading.) A tick is 10 ms at most. */
#define CALENDAR_TOLERANCE_US 20000

uint64_t os_uptime_coarse_ms(void) {
    static uint64_t known_slept_us, known_lead_us;
    const uint64_t monotonic_us = clock_read_us(CLOCK_MONOTONIC_COARSE);
    const uint64_t lead_us = clock_read_us(CLOCK_REALTIME_COARSE) - monotonic_us;
    const uint64_t known = __atomic_load_n(&known_lead_us, __ATOMIC_ACQUIRE);
    if (lead_us - known + CALENDAR_TOLERANCE_US > 2 * CALENDAR_TOLERANCE_US) {
        const uint64_t since_boot_us = clock_read_us(CLOCK_BOOTTIME);
        const uint64_t awake_us = clock_read_us(CLOCK_MONOTONIC); /* later: slept is no more */
        const uint64_t slept_us = since_boot_us > awake_us ? since_boot_us - awake_us : 0;
        __atomic_store_n(&known_slept_us, slept_us, __ATOMIC_RELAXED);
        __atomic_store_n(&known_lead_us, lead_us, __ATOMIC_RELEASE);
    }
    return (monotonic_us + __atomic_load_n(&known_slept_us, __ATOMIC_RELAXED)) / 1000;
}

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
