/* SPDX-License-Identifier: MIT
 *
 * purge_test.c: an extent of which not all records can be read any more is given up as a whole when its
 * space is wanted: what reaches into it goes, and nothing else.
 */
#include "harness.h"

#include "cache.h"
#include "clean.h"
#include "guard.h"
#include "handle.h"
#include "index.h"

#define KEYS 400u
#define LARGE 20u /* every so-many-th value has parts */

static uint32_t handle;
static cache *c;
static shard s;

static uint32_t len_of(uint64_t number) { return number % LARGE ? 100 : 9000; }

static void fill(uint32_t policy) {
    static uint8_t value[9000];
    handle = private_open_with(policy, 1 << 20, 1, 0);
    c = (cache *)handle_get(handle);
    s = shard_at(c, 0);
#if !defined(NDEBUG)
    c->unlocks_until_walk = WALK_NEVER; /* it would not put up with damage */
#endif
    for (uint64_t number = 0; number < KEYS; number++) {
        fill_value(value, len_of(number), number);
        CHECK_STATUS(FC_OK, fc_set(handle, &number, sizeof number, value, len_of(number),
                                   FC_TYPE_BYTES, FC_SET, 0, 0));
    }
}

static found entry_of(uint64_t number) {
    const uint64_t hash = fc_hash(&number, sizeof number, c->hash_seed);
    found entry;
    CHECK(index_find(&s, hash, &number, sizeof number, &entry), "%" PRIu64 " is gone", number);
    return entry;
}

/* Does the entry have its record, or a part, in the extent? */
static bool reaches(uint64_t number, uint32_t extent) {
    const found entry = entry_of(number);
    bool here = entry.record.extent == extent;
    for (uint32_t i = 0; i < entry.record.chunks; i++)
        here |= extent_of(&s, entry.record.locations[i]) == extent;
    return here;
}

static bool is_there(uint64_t number) {
    static uint8_t value[9000], wanted[9000];
    const int32_t len = fc_get(handle, &number, sizeof number, value, sizeof value, 0, NULL);
    if (len == FC_MISS) return false;
    fill_value(wanted, len_of(number), number);
    CHECK(len == (int32_t)len_of(number) && memcmp(value, wanted, len_of(number)) == 0,
          "%" PRIu64 " has another value", number);
    return true;
}

/* The first record of the extent becomes unreadable; then the extent is wanted. */
static void give_up(uint32_t policy, uint64_t number) {
    fill(policy);
    const uint32_t extent = entry_of(number).record.extent;
    bool reaching[KEYS];
    uint32_t here = 0;
    for (uint64_t i = 0; i < KEYS; i++) here += reaching[i] = reaches(i, extent);
    CHECK(here > 1, "%u entries are there", here);
    record first;
    CHECK(record_load(&s, extent_offset(&s, extent), &first), "unreadable before");
    uint64_t *shape = (uint64_t *)(void *)(s.extents + first.offset) + 1;
    *shape = UINT64_MAX;
    CHECK_STATUS(FC_OK, guard_lock(&s));
    (void)clean_extent(&s, extent, s.geometry->extent_bytes);
    guard_unlock(&s);
    CHECK(s.states[extent].kind == EXTENT_FREE, "the extent is of kind %u", s.states[extent].kind);
    uint32_t kept = 0;
    for (uint64_t i = 0; i < KEYS; i++) {
        CHECK(is_there(i) == !reaching[i], "%" PRIu64 " is %s", i, reaching[i] ? "there" : "gone");
        kept += !reaching[i];
    }
    CHECK(stats_of(handle).entries == kept, "%" PRIu64 " entries, not %u", stats_of(handle).entries,
          kept);
    /* Nobody knows which other extents an unreadable record had parts in: until these are wanted
     * too, they count as live. */
    if (first.kind == RECORD_INLINE) verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void only_what_reaches_into_a_damaged_extent_goes(void) {
    for (uint64_t number = 3; number < KEYS; number += 37) {
        give_up(FC_EVICTION_LRU, number);
        give_up(FC_EVICTION_S3FIFO, number);
    }
}

/* Nor does a record that no word of the index leads to hold anything up. */
static void a_record_that_nothing_leads_to_does_not_keep_its_extent(void) {
    fill(FC_EVICTION_LRU);
    const found lost = entry_of(7);
    const uint32_t extent = lost.record.extent;
    *lost.word = 0;
    s.header->entries--;
    CHECK_STATUS(FC_OK, guard_lock(&s));
    (void)clean_extent(&s, extent, s.geometry->extent_bytes);
    guard_unlock(&s);
    CHECK(s.states[extent].kind == EXTENT_FREE, "the extent is of kind %u", s.states[extent].kind);
    for (uint64_t i = 0; i < KEYS; i++) CHECK(is_there(i) == (i != 7), "%" PRIu64, i);
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

int main(void) {
    TEST(only_what_reaches_into_a_damaged_extent_goes);
    TEST(a_record_that_nothing_leads_to_does_not_keep_its_extent);
    return TESTS_DONE();
}
