/* SPDX-License-Identifier: MIT
 *
 * verify_test.c: fc_verify names the first invariant that is broken, whichever it is, and whoever takes
 * a shard over from a dead owner mends it: a sound segment is damaged at one place, asked, mended, and
 * put back.
 */
#include "harness.h"

#include "cache.h"
#include "handle.h"
#include "index.h"
#include "log.h"

#define LARGE_BYTES 30000u
#define SIZE_BYTES (1u << 20)
#define ENTRIES 101u

static uint32_t handle;
static cache *c;
static shard s;
static uint8_t *sound;

static void set_number(uint64_t number, uint32_t len, double ttl_ms) {
    static uint8_t value[LARGE_BYTES];
    fill_value(value, len, number);
    CHECK_STATUS(FC_OK, fc_set(handle, &number, sizeof number, value, len, FC_TYPE_BYTES, FC_SET,
                               ttl_ms, 0));
}

static void begin(uint32_t policy) {
    handle = private_open_with(policy, SIZE_BYTES, 1, 0);
    c = (cache *)handle_get(handle);
    c->hash_seed = 7; /* no bucket is full then */
    s = shard_at(c, 0);
    for (uint64_t number = 0; number < 100; number++)
        set_number(number, 10, number % 2 ? 1000000 : 0);
    set_number(100, LARGE_BYTES, 0);
    verify(handle);
#if !defined(NDEBUG)
    c->unlocks_until_walk = WALK_NEVER; /* it would end the program */
#endif
    sound = malloc(SIZE_BYTES);
    CHECK(sound, "no memory");
    memcpy(sound, c->base, SIZE_BYTES);
}

static void end(void) {
    free(sound);
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void damage_is_told(const char *words) {
    fc_report report;
    const int32_t status = fc_verify(handle, &report);
    CHECK(status == FC_CORRUPT && report.status == FC_CORRUPT, "status %d, not \"%s\"", status,
          words);
    CHECK(strstr(report.message, words), "\"%s\" does not say \"%s\"", report.message, words);
}

static void put_back(void) { memcpy(c->base, sound, SIZE_BYTES); }

/* The next writer finds the lock of a dead owner, and counts anew. Of the entries at most `lost` are
 * gone: those that were damaged themselves. */
static void mended(uint64_t lost) {
    store_u64_release(&s.header->lock, 1ull << 63 | (c->slot_index + 1));
    CHECK_STATUS(FC_MISS, fc_delete(handle, "none", 4));
    verify(handle);
    const uint64_t entries = stats_of(handle).entries;
    CHECK(entries <= ENTRIES && entries + lost >= ENTRIES, "%" PRIu64 " entries", entries);
    uint64_t there = 0;
    for (uint64_t number = 0; number < ENTRIES; number++)
        there += fc_has(handle, &number, sizeof number) == FC_OK;
    CHECK(there == entries, "%" PRIu64 " can be read", there);
}

static void told(const char *words) {
    damage_is_told(words);
    mended(0);
    put_back();
}
/* Of an entry whose own bytes are damaged nothing is left. */
static void told_and_lost(const char *words) {
    damage_is_told(words);
    mended(1);
    put_back();
}

static found entry_of(uint64_t number) {
    const uint64_t hash = fc_hash(&number, sizeof number, c->hash_seed);
    found entry;
    CHECK(index_find(&s, hash, &number, sizeof number, &entry), "%" PRIu64 " is gone", number);
    return entry;
}
static record_header *header_at(uint64_t offset) {
    return (record_header *)(void *)(s.extents + offset);
}

static uint32_t extent_of_kind(uint16_t kind) {
    for (uint32_t e = 0; e < s.geometry->extents; e++)
        if (s.states[e].kind == kind) return e;
    CHECK(false, "no extent of kind %u", kind);
    return 0;
}

static void damage_to_the_notes_of_a_shard_is_told(void) {
    begin(FC_EVICTION_LRU);
    s.header->entries++;
    told("the header says 102");
    s.header->live_bytes += 8;
    told("live bytes");
    s.header->stash_count++;
    told("in the stash");
    s.header->free_extents--;
    told("free and");
    s.header->index_extents++;
    told("index extents");
    s.header->version = 1;
    told("ahead of the counter");
    s.header->probation_entries++;
    told("on probation");
    s.header->probation_bytes++;
    told("on probation");
    s.header->expired_max = 0;
    s.header->expired_until_ms = TIME_NONE;
    c->clock_base_ms += 2000000;
    damage_is_told("live bytes have expired");
    put_back();
    c->clock_base_ms -= 2000000;
    c->geometry.shard_entries_max = 100;
    damage_is_told("more than the limit of 100");
    c->geometry.shard_entries_max = UINT64_MAX;
    end();
}

static void damage_to_the_notes_of_an_extent_is_told(void) {
    begin(FC_EVICTION_LRU);
    const uint32_t data = entry_of(1).record.extent, free_one = extent_of_kind(EXTENT_FREE);
    s.states[data].live -= 8;
    told("its state says");
    s.states[data].due[DUE_BUCKETS - 1]++;
    told("due in bucket 7");
    s.states[free_one].kind = EXTENT_SOLID + 1;
    told("is of kind 4");
    s.states[free_one].kind = EXTENT_DATA;
    told("free and");
    s.states[s.geometry->extents - 1].kind = EXTENT_FREE;
    told("has to hold buckets");
    s.states[data].kind = EXTENT_SOLID;
    damage_is_told("lies in extent");
    put_back();
    s.states[data].used = 8;
    damage_is_told("is used up to 8");
    put_back();
    s.lives[free_one].generation = s.header->sequence + 1;
    told("ahead of the shard");
    end();
}

static void damage_to_an_entry_is_told(void) {
    begin(FC_EVICTION_LRU);
    found small = entry_of(2), large = entry_of(100);
    header_at(small.record.offset)->shape |= SHAPE_DEAD;
    told("marked as dead");
    *small.word = (small.value & ~WORD_LOCATION_MASK) | (WORD_SECOND - 1);
    told_and_lost("names no record");
    /* Its value would reach beyond the extent's end. */
    const found later = entry_of(60);
    CHECK(extent_position(&s, later.record.offset) > 1000, "it lies at the beginning");
    header_at(later.record.offset)->shape += s.geometry->extent_bytes - 1000;
    told_and_lost("names no record");
    *small.word = small.value ^ 1ull << WORD_TAG_SHIFT;
    told_and_lost("does not belong");
    *small.word = small.value ^ WORD_SECOND;
    told_and_lost("does not belong");
    /* The key's first byte: it is now another key's record. */
    *(uint8_t *)(s.extents + (small.record.key - s.extents)) ^= 0x55;
    told_and_lost("does not belong");
    bucket *its = (bucket *)((uintptr_t)small.word & ~(uintptr_t)(sizeof(bucket) - 1));
    for (uint32_t i = 0; i < BUCKET_WORDS; i++)
        if (!its->words[i]) its->words[i] = small.value;
    told("twice");
    large.record.locations[0] = small.record.offset;
    told_and_lost("no chunk at");
    large.record.locations[0] = s.geometry->shard_data_bytes;
    told_and_lost("no chunk at");
    header_at(large.record.locations[0])->identity ^= 1;
    told_and_lost("belongs to another key");
    header_at(large.record.offset)->shape--;
    told_and_lost("has parts of");
    end();
}

/* Without a size nothing of the index can be believed. */
static void an_impossible_size_of_the_index_is_told_by_all_that_write(void) {
    begin(FC_EVICTION_LRU);
    s.header->buckets = 0;
    CHECK_STATUS(FC_CORRUPT, fc_set(handle, "k", 1, "v", 1, FC_TYPE_BYTES, FC_SET, 0, 0));
    CHECK_STATUS(FC_CORRUPT, fc_delete(handle, "k", 1));
    CHECK_STATUS(FC_CORRUPT, fc_clear(handle));
    CHECK_STATUS(FC_MISS, fc_has(handle, "k", 1));
    damage_is_told("shard 0: the segment is damaged");
    put_back();
    end();
}

static void entries_on_probation_are_counted(void) {
    begin(FC_EVICTION_S3FIFO);
    CHECK(s.header->probation_entries == 101, "%" PRIu64 " entries", s.header->probation_entries);
    s.header->probation_bytes -= 8;
    told("on probation");
    end();
}

static void the_shard_is_named(void) {
    const uint32_t two = private_open(4 << 20, 2, 0);
    cache *its = (cache *)handle_get(two);
#if !defined(NDEBUG)
    its->unlocks_until_walk = WALK_NEVER;
#endif
    shard_header *second = shard_at(its, 1).header;
    second->entries++;
    fc_report report;
    CHECK_STATUS(FC_CORRUPT, fc_verify(two, &report));
    CHECK(strstr(report.message, "shard 1: 0 entries"), "%s", report.message);
    second->entries--;
    verify(two);
    CHECK_STATUS(FC_OK, fc_close(two));
}

int main(void) {
    TEST(damage_to_the_notes_of_a_shard_is_told);
    TEST(damage_to_the_notes_of_an_extent_is_told);
    TEST(damage_to_an_entry_is_told);
    TEST(an_impossible_size_of_the_index_is_told_by_all_that_write);
    TEST(entries_on_probation_are_counted);
    TEST(the_shard_is_named);
    return TESTS_DONE();
}
