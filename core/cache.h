/* SPDX-License-Identifier: MIT
 *
 * cache.h owns what one handle knows, in this process's private memory. The geometry
 * is a private, validated copy: nothing in the segment can change it afterwards.
 */
#ifndef FC_CACHE_H
#define FC_CACHE_H

#include "atomic.h"
#include "attachment.h"
#include "evict.h"
#include "geometry.h"
#include "layout.h"

#define WALK_NEVER UINT32_MAX

typedef struct region {
    uint8_t *memory;
    uint32_t length;
} region;

typedef struct cache {
    uint8_t *base;
    geometry geometry;
    uint64_t hash_seed;
    uint64_t clock_base_ms; /* see clock.h; tests move the clock by it */
    uint64_t owner;         /* our lock word: incarnation << 32 | slot + 1 */
    process_slot *slot;
    uint32_t slot_index;
    uint32_t lock_wait_ms;
    uint32_t kind;
    uint32_t eviction; /* fc_eviction */
    const eviction_policy *policy;
    bool marks_count_reads; /* the policy's; readers ask often */
    attachment *attachment; /* what we share with other handles; the next three are copies of it */
    int fd;
    int shared_fd;
    const uint32_t *lost;  /* its `lost` */
    bool named;            /* it had a name or path when it was opened */
    bool sealed_when_left; /* it lies in a file: see seal.h */
    uint64_t thread;       /* whose bound memory we use, which ends with it; 0: nobody's */
#if !defined(NDEBUG)
    uint32_t unlocks_until_walk; /* see guard.h; tests of damage set WALK_NEVER */
#endif
    region request;
    region response;
    /* see flight.c; by slot, the incarnation of an owner of leases */
    uint32_t watched[GEOMETRY_SLOTS_MAX]; /* whose death the waiter looks out for */
    uint32_t dead[GEOMETRY_SLOTS_MAX];    /* known to be dead */
    uint64_t asked_us;                    /* when it did so last; the waiter's own */
    uint32_t waiters;                     /* threads inside of flight_wait */
    uint32_t closing;                     /* they are to leave */
} cache;

static inline superblock *cache_superblock(const cache *c) { return (superblock *)c->base; }

static inline process_slot *cache_slot(const cache *c, uint32_t index) {
    return (process_slot *)(c->base + SEGMENT_PAGE) + index;
}

/* Was the segment's file cut short? Then its bytes mean nothing any more, whatever they are: asked
 * before anything is written, and again after what was read or written before it is believed. */
static inline bool cache_lost(const cache *c) { return unlikely(load_u32_relaxed(c->lost) != 0); }

/* Counts by a lock holder or rarely: exact, also for threads that share a handle. */
static inline void cache_count(const cache *c, enum counter counter, uint64_t n) {
    (void)add_u64_relaxed(&c->slot->counters[counter], n);
}

/* Counts on the read path without a locked instruction, which would make successive
 * reads wait for each other's cache misses. Exact as long as threads have their own handles. */
static inline void cache_count_read(const cache *c, enum counter counter) {
    uint64_t *count = &c->slot->counters[counter];
    store_u64_relaxed(count, load_u64_relaxed(count) + 1);
}

#endif
