/* SPDX-License-Identifier: MIT
 *
 * invalidated_test.c: what becomes of the space of invalidated entries (contract W3, W4), of the table
 * of tags where it is damaged or somebody died in an invalidation, and how often tags collide (G2).
 */
#include "tags.h"

#include <math.h>

#include "entry.h"
#include "log.h"
#include "write.h"

/* ------------------------------------------------------------------------ space */

#define MANY 30000u

typedef struct space {
    uint64_t random, live, capacity, stored;
    uint32_t group[MANY];  /* of each key; 0: not there, 1: without a tag */
    uint32_t bytes[MANY];  /* that it takes */
    uint64_t of_group[40]; /* bytes */
    /* What was invalidated is found while 1/32 of the capacity is stored: until then it counts. */
    uint64_t lately[64], lately_until[64];
    uint32_t lately_count;
} space;

static uint64_t not_found_yet(space *p) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < p->lately_count; i++)
        if (p->lately_until[i] > p->stored) bytes += p->lately[i];
    return bytes;
}

static void delete_group(space *p, uint32_t group) {
    const char tag[2] = {(char)('a' + group), 0};
    CHECK_STATUS(FC_OK, delete_tag(tag));
    for (uint64_t key = 0; key < MANY; key++)
        if (p->group[key] == group) p->group[key] = 0;
    p->live -= p->of_group[group];
    p->lately[p->lately_count % 64] = p->of_group[group];
    p->lately_until[p->lately_count % 64] = p->stored + p->capacity / 16;
    p->lately_count = p->lately_count < 63 ? p->lately_count + 1 : 0;
    p->of_group[group] = 0;
}

static void store_in_group(space *p, uint32_t len_max) {
    static uint8_t value[1 << 16];
    const uint64_t key = random_below(&p->random, MANY);
    const uint32_t group = 1 + random_below(&p->random, 30);
    const uint32_t len = random_below(&p->random, 50) ? random_below(&p->random, 200)
                                                      : random_below(&p->random, len_max);
    const shard s = shard_at(c, 0);
    const uint64_t size = log_size(&s, group > 1 ? 2 : 0, sizeof key, len);
    const uint64_t old = p->group[key] ? p->bytes[key] : 0;
    if (p->live + not_found_yet(p) + size > p->capacity / 100 * 88) return;
    const uint64_t looked = s.header->work_looked, moved = s.header->work_moved;
    packed tags;
    const char tag = (char)('a' + group);
    pack_begin(&tags);
    pack(&tags, &tag, 1);
    CHECK_STATUS(FC_OK,
                 set_with(&key, sizeof key, value, len, FC_SET, 0, 0, group > 1 ? &tags : NULL));
    const uint64_t extent = s.geometry->extent_bytes;
    CHECK(s.header->work_looked - looked <= 32 * size + 2 * extent,
          "looked at %" PRIu64 " bytes for %" PRIu64, s.header->work_looked - looked, size);
    CHECK(s.header->work_moved - moved <= 16 * size + extent,
          "moved %" PRIu64 " bytes for %" PRIu64, s.header->work_moved - moved, size);
    if (p->group[key]) p->of_group[p->group[key]] -= old;
    p->live += size - old;
    p->stored += size;
    p->group[key] = group;
    p->bytes[key] = (uint32_t)size;
    p->of_group[group] += size;
}

static void nothing_live_leaves_while_invalidated_space_is_found(void) {
    static space p;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        memset(&p, 0, sizeof p);
        p.random = seed * 0x9e3779b97f4a7c15ull;
        open_for(seed % 2 ? FC_EVICTION_LRU : FC_EVICTION_S3FIFO, (1 + seed % 3) << 20, 1);
        const shard s = shard_at(c, 0);
        const uint64_t often = 20 + random_below(&p.random, 2000);
        uint64_t highest = 0;
        for (uint32_t i = 0; i < 120000; i++) {
            /* The index takes room as it grows. */
            p.capacity = log_capacity(&s);
            store_in_group(&p, seed % 4 ? 3000 : 30000);
            if (p.live > highest) highest = p.live;
            if (random_below(&p.random, (uint32_t)often) == 0)
                delete_group(&p, 2 + random_below(&p.random, 29));
        }
        uint32_t dead = 0;
        for (uint64_t key = 0; key < MANY; key++) {
            const bool there = fc_has(handle, &key, sizeof key) == FC_OK;
            dead += !there && p.group[key];
            CHECK(!there || p.group[key], "seed %" PRIu64 ": key %" PRIu64 " came back", seed, key);
        }
        CHECK(stats_of(handle).evictions == 0,
              "seed %" PRIu64 ": %" PRIu64 " live entries left, %" PRIu64 " %% live at most", seed,
              stats_of(handle).evictions, highest * 100 / p.capacity);
        CHECK(highest > p.capacity / 100 * 60, "seed %" PRIu64 ": never full", seed);
        CHECK(dead < MANY / 50, "seed %" PRIu64 ": %" PRIu32 " are missing", seed, dead);
        verify(handle);
        CHECK_STATUS(FC_OK, fc_close(handle));
    }
}

static void entries_are_not_evicted_by_number_while_invalidated_ones_are_there(void) {
    handle = private_open(4 << 20, 1, 1000);
    c = (cache *)handle_get(handle);
    for (uint64_t key = 0; key < 1000; key++) {
        packed tags;
        pack_begin(&tags);
        pack(&tags, "old", 3);
        CHECK_STATUS(FC_OK,
                     set_with(&key, sizeof key, "value", 5, FC_SET, 0, 0, key % 2 ? &tags : NULL));
    }
    CHECK_STATUS(FC_OK, delete_tag("old"));
    for (uint64_t key = 1000; key < 1400; key++)
        CHECK_STATUS(FC_OK, set_with(&key, sizeof key, "value", 5, FC_SET, 0, 0, NULL));
    uint32_t left = 0;
    for (uint64_t key = 0; key < 1000; key += 2) left += fc_has(handle, &key, sizeof key) == FC_OK;
    CHECK(left == 500, "%" PRIu32 " of 500 are left", left);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

/* ------------------------------------------------------------- death and damage */

static uint64_t *table(void) { return (uint64_t *)(void *)(c->base + c->geometry.tags_offset); }

static void an_invalidation_that_ends_midway_leaves_nothing_to_undo(void) {
    open_for(FC_EVICTION_LRU, 1 << 20, 1);
    const uint64_t slots = slots_of_tag("tag", 3);
    CHECK_STATUS(FC_OK, set_one("key", "tag"));
    table()[TAG_COUNTER]++; /* died behind the counter */
    CHECK_STATUS(FC_OK, has("key"));
    table()[(uint32_t)slots] = ++table()[TAG_COUNTER]; /* and between the slots */
    CHECK_STATUS(FC_OK, has("key"));
    CHECK_STATUS(FC_OK, set_one("newer", "tag"));
    CHECK_STATUS(FC_OK, delete_tag("tag"));
    CHECK_STATUS(FC_MISS, has("key"));
    CHECK_STATUS(FC_MISS, has("newer"));
    CHECK_STATUS(FC_OK, set_one("key", "tag"));
    CHECK_STATUS(FC_OK, has("key"));
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void a_slower_invalidation_does_not_bring_back_what_a_later_one_took(void) {
    open_for(FC_EVICTION_LRU, 1 << 20, 1);
    const uint64_t slots = slots_of_tag("tag", 3);
    CHECK_STATUS(FC_OK, set_one("key", "tag"));
    table()[TAG_COUNTER] += 5; /* five are on their way, the last is done */
    table()[(uint32_t)slots] = table()[slots >> 32] = table()[TAG_COUNTER];
    CHECK_STATUS(FC_MISS, has("key"));
    CHECK_STATUS(FC_OK, delete_tag("tag"));
    CHECK(table()[slots >> 32] == 6 && table()[(uint32_t)slots] == 6, "not raised");
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void damage_of_the_table_makes_misses_and_nothing_else(void) {
    uint64_t random = 7;
    open_for(FC_EVICTION_LRU, 1 << 20, 1);
    for (uint32_t round = 0; round < 300; round++) {
        for (uint32_t i = 0; i < 200; i++) {
            const uint64_t bits = random_next(&random);
            if (random_below(&random, 4) == 0)
                table()[TAG_COUNTER] = bits >> (bits & 63);
            else
                table()[random_below(&random, (uint32_t)c->geometry.tag_slots)] =
                    bits >> (bits & 63);
        }
        for (uint32_t i = 0; i < 200; i++) {
            const uint64_t key = random_below(&random, 500);
            const char tag[2] = {(char)('a' + random_below(&random, 20)), 0};
            packed tags;
            pack_begin(&tags);
            pack(&tags, tag, 1);
            uint64_t value = key + 1;
            const int32_t len = fc_get(handle, &key, sizeof key, &value, sizeof value, 0, NULL);
            CHECK(len == FC_MISS || (len == 8 && value == key), "another value");
            CHECK_STATUS(FC_OK, set_with(&key, sizeof key, &key, sizeof key, FC_SET, 0, 0,
                                         random_below(&random, 2) ? &tags : NULL));
            if (random_below(&random, 20) == 0) CHECK_STATUS(FC_OK, delete_tag(tag));
            for (uint64_t other = 0; other < 3; other++) (void)fc_has(handle, &other, 8);
        }
        verify(handle);
    }
    CHECK_STATUS(FC_OK, fc_set(handle, "plain", 5, "v", 1, FC_TYPE_BYTES, FC_SET, 0, 0));
    CHECK_STATUS(FC_OK, has("plain"));
    CHECK_STATUS(FC_OK, fc_close(handle));
}

/* Of what a record bears: places that are none, more tags than words, none at all. */
static void damage_of_a_record_kills_it(void) {
    open_for(FC_EVICTION_LRU, 1 << 20, 1);
    const shard s = shard_at(c, 0);
    const uint64_t hash = fc_hash("key", 3, c->hash_seed);
    for (uint32_t i = 0; i < 6; i++) {
        CHECK_STATUS(FC_OK, set_one("key", "tag"));
        CHECK_STATUS(FC_OK, delete_tag("another"));
        found entry;
        CHECK(index_find(&s, hash, "key", 3, &entry), "not found");
        uint64_t *raw = (uint64_t *)(void *)(s.extents + entry.record.offset);
        if (i == 0) raw[3] = c->geometry.tag_slots | c->geometry.tag_slots << 32;
        if (i == 1) raw[3] = 0;
        if (i == 2) raw[3] = UINT64_MAX;
        if (i == 3) raw[1] += 1ull << SHAPE_TAGS_SHIFT;
        if (i == 4) raw[1] += 15ull << SHAPE_TAGS_SHIFT;
        if (i == 5) raw[1] -= 1ull << SHAPE_TAGS_SHIFT;
        CHECK_STATUS(FC_MISS, has("key"));
        CHECK_STATUS(FC_MISS, fc_delete(handle, "key", 3));
    }
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void after_a_recount_invalidated_entries_are_found(void) {
    open_for(FC_EVICTION_LRU, 1 << 20, 1);
    for (uint32_t i = 0; i < 100; i++) {
        char key[8];
        snprintf(key, sizeof key, "key %u", i);
        CHECK_STATUS(FC_OK, set_one(key, "tag"));
    }
    shard_at(c, 0).header->free_extents =
        UINT32_MAX; /* who locks the shard next does not believe it */
    CHECK_STATUS(FC_OK, delete_tag("tag"));
    double entries;
    CHECK_STATUS(FC_OK, fc_size(handle, &entries));
    CHECK(entries == 0, "%f entries are left", entries);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

/* Its call began before its tag was deleted, and ended when the hand had been round. */
static void what_is_stored_dead_is_found_too(void) {
    packed tags;
    tag_set set;
    double entries;
    open_for(FC_EVICTION_LRU, 1 << 20, 1);
    pack_begin(&tags);
    pack(&tags, "tag", 3);
    CHECK(tag_read(c, tags.bytes, tags.len, &set) > 0, "not read");
    CHECK_STATUS(FC_OK, set_one("key", "tag"));
    CHECK_STATUS(FC_OK, delete_tag("tag"));
    CHECK_STATUS(FC_OK, fc_size(handle, &entries));
    const write_value late = {"value", 5, FC_TYPE_BYTES, 0, &set};
    CHECK_STATUS(FC_OK, write_set(c, "late", 4, &late, FC_SET, 0));
    CHECK_STATUS(FC_MISS, has("late"));
    CHECK_STATUS(FC_OK, fc_size(handle, &entries));
    CHECK(entries == 0, "%f entries are left", entries);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static void a_counter_that_fell_kills_what_was_born_above_it(void) {
    open_for(FC_EVICTION_LRU, 1 << 20, 1);
    for (uint32_t i = 0; i < 10; i++) CHECK_STATUS(FC_OK, delete_tag("other"));
    CHECK_STATUS(FC_OK, set_one("key", "tag"));
    table()[TAG_COUNTER] = 3;
    CHECK_STATUS(FC_MISS, has("key"));
    CHECK_STATUS(FC_OK, set_one("key", "tag"));
    CHECK_STATUS(FC_OK, has("key"));
    CHECK_STATUS(FC_OK, fc_close(handle));
}

/* ------------------------------------------------------------ false invalidations */

#define WATCHED 200000u

static uint32_t missing(void) {
    uint32_t count = 0;
    for (uint64_t key = 0; key < WATCHED; key++) count += fc_has(handle, &key, 8) == FC_MISS;
    return count;
}

/* Contract G2, for 256 MB. */
static void others_tags_rarely_take_an_entry_with_them(void) {
    open_for(FC_EVICTION_LRU, 256u << 20, 0);
    for (uint64_t key = 0; key < WATCHED; key++) {
        packed tags;
        pack_begin(&tags);
        pack(&tags, &key, sizeof key);
        CHECK_STATUS(FC_OK, set_with(&key, sizeof key, "v", 1, FC_SET, 0, 0, &tags));
    }
    const struct {
        uint64_t tags;
        double most;
    } bars[] = {{1000, 0.0002}, {10000, 0.01}};
    uint64_t tag = WATCHED;
    for (uint32_t i = 0; i < 2; i++) {
        for (; tag < WATCHED + bars[i].tags; tag++)
            CHECK_STATUS(FC_OK, fc_delete_by_tag(handle, &tag, sizeof tag));
        const double share = (double)missing() / WATCHED;
        const fc_stats_fields stats = stats_of(handle);
        const double ratio = (double)stats.tag_slots_raised / (double)stats.tag_slots_looked;
        printf("# %" PRIu64 " tags: %.4f %% died, stats say %.4f %%\n", bars[i].tags, 100 * share,
               100 * ratio * ratio);
        CHECK(share <= bars[i].most, "%f of the entries died", share);
        CHECK(fabs(ratio * ratio - share) <= 0.0001 + share / 4, "stats say %f", ratio * ratio);
    }
    CHECK_STATUS(FC_OK, fc_close(handle));
}

int main(void) {
    TEST(nothing_live_leaves_while_invalidated_space_is_found);
    TEST(entries_are_not_evicted_by_number_while_invalidated_ones_are_there);
    TEST(an_invalidation_that_ends_midway_leaves_nothing_to_undo);
    TEST(a_slower_invalidation_does_not_bring_back_what_a_later_one_took);
    TEST(damage_of_the_table_makes_misses_and_nothing_else);
    TEST(damage_of_a_record_kills_it);
    TEST(after_a_recount_invalidated_entries_are_found);
    TEST(what_is_stored_dead_is_found_too);
    TEST(a_counter_that_fell_kills_what_was_born_above_it);
    TEST(others_tags_rarely_take_an_entry_with_them);
    return TESTS_DONE();
}
