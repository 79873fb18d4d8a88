/* SPDX-License-Identifier: MIT
 *
 * boot.c: the time since boot, and which boot it was. CLOCK_BOOTTIME counts the time asleep. In a
 * time namespace (Linux 5.6) it is moved by an offset, which is taken off again: a process enters
 * one when it is forked or executed, and never later.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../os.h"
#include "../posix/internal.h"

static uint64_t namespace_offset_us; /* may be below 0, as two's complement */

static ssize_t text_read(const char *path, char *text, size_t capacity) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t len = read(fd, text, capacity - 1);
    close(fd);
    text[len > 0 ? len : 0] = 0;
    return len;
}

/* By async-signal-safe calls only: it is run in the child of a fork. /proc/self/timens_offsets,
 * with lines such as "boottime  86400  0", is about the namespace that children will be in. That is
 * another than ours only in a process which has just made it. */
static void read_namespace_offset(void) {
    char ours[64] = {0}, childrens[64] = {0}, text[256];
    uint64_t offset_us = 0;
    const bool same = readlink("/proc/self/ns/time", ours, sizeof ours - 1) > 0 &&
                      readlink("/proc/self/ns/time_for_children", childrens, sizeof ours - 1) > 0 &&
                      strcmp(ours, childrens) == 0;
    if (same && text_read("/proc/self/timens_offsets", text, sizeof text) > 0) {
        const char *line = strstr(text, "boottime");
        char *end = NULL;
        const long long seconds = line ? strtoll(line + strlen("boottime"), &end, 10) : 0;
        const long long ns = line ? strtoll(end, NULL, 10) : 0;
        offset_us = (uint64_t)(seconds * 1000000 + ns / 1000);
    }
    __atomic_store_n(&namespace_offset_us, offset_us, __ATOMIC_RELAXED);
}

__attribute__((constructor)) static void watch_namespace(void) {
    read_namespace_offset();
    (void)pthread_atfork(NULL, NULL, read_namespace_offset);
}

uint64_t os_uptime_us(void) {
    return clock_read_us(CLOCK_BOOTTIME) - __atomic_load_n(&namespace_offset_us, __ATOMIC_RELAXED);
}
uint64_t os_uptime_ms(void) { return os_uptime_us() / 1000; }

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
        const uint64_t since_boot_us = os_uptime_us();
        const uint64_t awake_us = clock_read_us(CLOCK_MONOTONIC); /* later: slept is no more */
        /* Below 0, as two's complement, where a namespace moves the monotonic clock. */
        __atomic_store_n(&known_slept_us, since_boot_us - awake_us, __ATOMIC_RELAXED);
        __atomic_store_n(&known_lead_us, lead_us, __ATOMIC_RELEASE);
    }
    return (monotonic_us + __atomic_load_n(&known_slept_us, __ATOMIC_RELAXED)) / 1000;
}

uint64_t os_boot_id(void) {
    /* Read once: later there may be no descriptor left to read it with. */
    static uint64_t known;
    uint64_t id = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (id != 0) return id;
    char text[37];
    const ssize_t len = text_read("/proc/sys/kernel/random/boot_id", text, sizeof text);
    /* A random UUID; its last 16 hexadecimal digits are plenty. */
    for (ssize_t i = 0; i < len; i++) {
        char c = text[i];
        if (c >= '0' && c <= '9') id = id << 4 | (uint64_t)(c - '0');
        if (c >= 'a' && c <= 'f') id = id << 4 | (uint64_t)(c - 'a' + 10);
    }
    __atomic_store_n(&known, id, __ATOMIC_RELAXED);
    return id;
}
