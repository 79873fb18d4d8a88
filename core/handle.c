/* SPDX-License-Identifier: MIT
 *
 * handle.c: see handle.h. A mutex guards adding and removing. After fork() the child's table
 * is emptied: a handle's slot, and its open file, belong to the parent. When a thread ends, its
 * handles are closed, if they use memory that was bound to them: that ends with the thread.
 */
#include "handle.h"

#include <pthread.h>
#include <stdlib.h>

#include "flight.h"
#include "os/os.h"
#include "segment.h"

#define CLOSING_SLEEP_US 50u

handle_entry handle_table[HANDLES_MAX];

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void forget_all(void) {
    for (uint32_t i = 0; i < HANDLES_MAX; i++) {
        handle_entry *entry = &handle_table[i];
        if (!entry->cache) continue;
        entry->cache = NULL;
        entry->generation++;
    }
    attachment_forget_all();
    pthread_mutex_init(&guard, NULL);
}

static void close_of_thread(void) {
    const uint64_t thread = os_thread_id();
    for (uint32_t i = 0; i < HANDLES_MAX; i++) {
        const handle_entry *entry = &handle_table[i];
        if (!__atomic_load_n(&entry->cache, __ATOMIC_RELAXED))
            continue; /* ours we stored ourselves */
        pthread_mutex_lock(&guard);
        const bool ours = entry->cache && entry->cache->thread == thread;
        const uint32_t handle = entry->generation << HANDLE_INDEX_BITS | i;
        pthread_mutex_unlock(&guard);
        if (ours) (void)handle_close(handle);
    }
    attachment_end_thread();
}

static void watch_forks(void) { (void)os_after_fork(forget_all); }

/* Generations are 16 bits, never 0, so that a handle is never 0. */
static uint32_t next_generation(uint32_t generation) {
    generation = (generation + 1) & ((1u << (32 - HANDLE_INDEX_BITS)) - 1);
    return generation ? generation : 1;
}

uint32_t handle_add(cache *c) {
    static uint32_t next;
    pthread_once(&fork_once, watch_forks);
    os_at_thread_exit(close_of_thread);
    uint32_t handle = 0;
    pthread_mutex_lock(&guard);
    for (uint32_t tried = 0; tried < HANDLES_MAX && !handle; tried++) {
        uint32_t index = next++ & (HANDLES_MAX - 1);
        handle_entry *entry = &handle_table[index];
        if (entry->cache) continue;
        uint32_t generation = next_generation(entry->generation);
        __atomic_store_n(&entry->cache, c, __ATOMIC_RELEASE);
        store_u32_release(&entry->generation, generation); /* pairs with handle_get */
        handle = generation << HANDLE_INDEX_BITS | index;
    }
    pthread_mutex_unlock(&guard);
    return handle;
}

cache *handle_remove(uint32_t handle) {
    handle_entry *entry = &handle_table[handle & (HANDLES_MAX - 1)];
    cache *c = NULL;
    pthread_mutex_lock(&guard);
    if (entry->generation == handle >> HANDLE_INDEX_BITS && entry->cache) {
        c = entry->cache;
        __atomic_store_n(&entry->cache, NULL, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&guard);
    return c;
}

cache *handle_hold(uint32_t handle) {
    const handle_entry *entry = &handle_table[handle & (HANDLES_MAX - 1)];
    cache *c = NULL;
    pthread_mutex_lock(&guard);
    if (entry->generation == handle >> HANDLE_INDEX_BITS) c = entry->cache;
    if (c) store_u32_relaxed(&c->waiters, load_u32_relaxed(&c->waiters) + 1);
    pthread_mutex_unlock(&guard);
    return c;
}

void handle_let_go(cache *c) {
    pthread_mutex_lock(&guard);
    store_u32_relaxed(&c->waiters, load_u32_relaxed(&c->waiters) - 1);
    pthread_mutex_unlock(&guard);
}

/* Nobody comes any more. They leave at their next slice, if the waking is lost. */
static void wait_for_waiters(cache *c) {
    store_u32_relaxed(&c->closing, 1);
    for (;;) {
        pthread_mutex_lock(&guard);
        const uint32_t left = load_u32_relaxed(&c->waiters);
        pthread_mutex_unlock(&guard);
        if (left == 0) return;
        flight_wake(c);
        os_sleep_us(CLOSING_SLEEP_US);
    }
}

int32_t handle_close(uint32_t handle) {
    cache *c = handle_remove(handle);
    if (!c) return FC_CLOSED;
    wait_for_waiters(c);
    segment_close(c);
    free(c);
    return FC_OK;
}
