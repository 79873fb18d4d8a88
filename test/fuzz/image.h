/* SPDX-License-Identifier: MIT
 *
 * image.h owns small valid segments that tests damage and then put back: the same bytes in every
 * run, mapped between pages that nobody may touch, so that a read or write outside the mapping
 * ends the program.
 */
#ifndef FC_TEST_IMAGE_H
#define FC_TEST_IMAGE_H

#define _GNU_SOURCE
#include <sys/mman.h>

#include "harness.h"

#include "cache.h"
#include "handle.h"
#include "index.h"
#include "os/os.h"
#include "superblock.h"

#define IMAGE_BYTES (9u << 17) /* room for two shards */
#define IMAGE_GUARD (1u << 20)
#define IMAGE_SEED 0x5eedull
#define IMAGE_NOW_MS 2000000000000ull
#define IMAGE_KEYS 256u

typedef struct image {
    uint32_t handle;
    cache *cache;
    uint8_t *sound; /* the bytes to put back */
} image;

static inline uint32_t image_key(uint32_t number, uint8_t key[FC_KEY_LEN_MAX]) {
    int len = snprintf((char *)key, 16, "key%u", number);
    if (number % 61 != 60) return (uint32_t)len;
    memset(key + len, 'x', FC_KEY_LEN_MAX - (uint32_t)len);
    return FC_KEY_LEN_MAX;
}

/* Moves the handle's mapping between two forbidden areas, and stops the walker of debug builds,
 * which would not put up with damage. */
static inline void image_guard(cache *c) {
    const uint64_t size = c->geometry.size_bytes;
    uint8_t *area = mmap(NULL, size + 2 * (uint64_t)IMAGE_GUARD, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(area != MAP_FAILED, "no address space");
    void *base =
        mmap(area + IMAGE_GUARD, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, c->fd, 0);
    CHECK(base != MAP_FAILED, "cannot map the segment");
    os_unmap(c->base, size);
    c->base = base;
    c->slot = cache_slot(c, c->slot_index);
    c->attachment->thread = ANOTHER_THREAD;
#if !defined(NDEBUG)
    c->unlocks_until_walk = WALK_NEVER;
#endif
}

/* Removes what image_guard added; to be called after fc_close. */
static inline void image_unguard(uint8_t *base, uint64_t size) {
    munmap(base - IMAGE_GUARD, size + 2 * (uint64_t)IMAGE_GUARD);
}

/* Stands the clock still, but for the time that the machine's own takes until the next call. */
static inline void image_set_clock(cache *c) { c->clock_base_ms = IMAGE_NOW_MS - os_uptime_ms(); }

/* Entries of all forms; some deleted, overwritten, numbers, with deadlines. Almost full. */
static inline void image_fill(uint32_t handle, uint64_t value_len_max) {
    static uint8_t value[1u << 18];
    uint64_t random = 7;
    for (uint32_t i = 0; i < 2 * IMAGE_KEYS; i++) {
        uint8_t key[FC_KEY_LEN_MAX];
        const uint32_t number = i % IMAGE_KEYS;
        const uint32_t key_len = image_key(number, key);
        uint32_t len = random_below(&random, 600);
        if (number % 16 == 5) len = 4000 + random_below(&random, 9000);
        if (number == 77) len = (uint32_t)value_len_max / 2;
        fill_value(value, len, i);
        const double ttl_ms = number % 5 == 0 ? 1 + random_below(&random, 100000) : 0;
        if (number % 7 == 3) {
            double sum;
            fc_increment(handle, key, key_len, 1, number, ttl_ms, &sum);
        } else {
            CHECK_STATUS(
                FC_OK, fc_set(handle, key, key_len, value, len, FC_TYPE_BYTES, FC_SET, ttl_ms, 0));
        }
        if (number % 11 == 0) fc_delete(handle, key, key_len);
        if (number % 3 == 0) fc_get(handle, key, key_len, value, sizeof value, 0, NULL);
    }
}

static inline image image_make(uint32_t shards, fc_eviction eviction) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_PRIVATE,
                          .create = FC_CREATE_OR_ATTACH,
                          .shards = shards,
                          .eviction = (uint32_t)eviction,
                          .lock_wait_ms = 1,
                          .size_bytes = IMAGE_BYTES};
    fc_report report;
    CHECK(fc_open(&options, NULL, 0, &report) == FC_OK, "%s", report.message);
    image made = {.handle = report.handle, .cache = (cache *)handle_get(report.handle)};
    cache *c = made.cache;
    image_guard(c);
    superblock *block = cache_superblock(c);
    superblock_write(block, &options, &c->geometry, IMAGE_SEED);
    c->hash_seed = IMAGE_SEED;
    image_set_clock(c);
    /* The clock of whoever attaches comes from here. */
    block->clock_base_ms = c->clock_base_ms;
    image_fill(made.handle, c->geometry.value_len_max);
    verify(made.handle);
    made.sound = malloc(IMAGE_BYTES);
    CHECK(made.sound, "no memory");
    memcpy(made.sound, c->base, IMAGE_BYTES);
    return made;
}

/* Puts back what differs, page by page. */
static inline void image_restore(image *i) {
    for (uint32_t at = 0; at < IMAGE_BYTES; at += SEGMENT_PAGE)
        if (memcmp(i->cache->base + at, i->sound + at, SEGMENT_PAGE) != 0)
            memcpy(i->cache->base + at, i->sound + at, SEGMENT_PAGE);
    image_set_clock(i->cache);
}

#endif
