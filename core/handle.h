/* SPDX-License-Identifier: MIT
 *
 * handle.h owns the table from handles, which callers hold, to caches. A handle is
 * index | generation << 16, so that a closed one is not mistaken for its successor.
 */
#ifndef FC_HANDLE_H
#define FC_HANDLE_H

#include "cache.h"

#define HANDLE_INDEX_BITS 16
#define HANDLES_MAX (1u << HANDLE_INDEX_BITS)

typedef struct handle_entry {
    uint32_t generation;
    cache *cache; /* null: free */
} handle_entry;

extern handle_entry handle_table[HANDLES_MAX];

/* Takes over `c`. 0 if the table is full. Thread-safe, like all but handle_get. */
uint32_t handle_add(cache *c);
/* FC_OK, or FC_CLOSED if it was closed already. */
int32_t handle_close(uint32_t handle);
/* The cache, which the caller now owns; null if the handle is closed. */
cache *handle_remove(uint32_t handle);

/* The cache of a handle, or null, for a call that other threads make beside those of its own:
 * handle_close waits until it is let go. */
cache *handle_hold(uint32_t handle);
void handle_let_go(cache *c);

/* The cache of a handle, or null. */
static inline const cache *handle_get(uint32_t handle) {
    const handle_entry *entry = &handle_table[handle & (HANDLES_MAX - 1)];
    if (unlikely(load_u32_acquire(&entry->generation) != handle >> HANDLE_INDEX_BITS)) return NULL;
    return __atomic_load_n(&entry->cache, __ATOMIC_ACQUIRE);
}

#endif
