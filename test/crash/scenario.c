/* SPDX-License-Identifier: MIT
 *
 * scenario.c: see scenario.h.
 */
#include "scenario.h"

#include "handle.h"
#include "hash.h"
#include "index.h"
#include "superblock.h"

#define SIZE_BYTES FC_SIZE_MIN
#define SMALL 100u
#define LARGE 20000u
#define BY_NUMBER 7.5

/* What the calls use: made beforehand, since every instruction of a call counts. */
static char subject_key[32];
static uint32_t subject_key_len;
static uint8_t new_value[STAGE_VALUE_MAX];

/* ------------------------------------------------------------------ stages */

static uint32_t key_of(const stage *s, uint32_t number, char key[32]) {
    return (uint32_t)snprintf(key, 32, "key-%u", s->names[number]);
}

static uint64_t hash_of(const stage *s, uint32_t number) {
    char key[32];
    uint32_t len = key_of(s, number, key);
    return fc_hash(key, len, s->cache->hash_seed);
}

static int32_t set_with_deadline(const stage *s, uint32_t number, uint32_t len, uint32_t generation,
                                 double ttl_ms) {
    static uint8_t value[STAGE_VALUE_MAX];
    char key[32];
    uint32_t key_len = key_of(s, number, key);
    fill_value(value, len, (uint64_t)generation << 32 | number);
    return fc_set(s->handle, key, key_len, value, len, FC_TYPE_BYTES, FC_SET, ttl_ms, 0);
}

int32_t stage_set(const stage *s, uint32_t number, uint32_t len, uint32_t generation) {
    return set_with_deadline(s, number, len, generation, 0);
}

int32_t stage_delete(const stage *s, uint32_t number) {
    char key[32];
    uint32_t key_len = key_of(s, number, key);
    return fc_delete(s->handle, key, key_len);
}

#define LEASE_MS 86400000.0
static double subject_token; /* of the lease that the stage has */

static int32_t begin(const stage *s, double seen_version, fc_lease *lease) {
    return fc_lease_begin(s->handle, subject_key, subject_key_len, LEASE_MS, 0, seen_version,
                          lease);
}

int32_t stage_begin(const stage *s) {
    fc_lease lease;
    return begin(s, -1, &lease);
}

int32_t stage_land(const stage *s) {
    return fc_set(s->handle, subject_key, subject_key_len, new_value, SMALL, FC_TYPE_BYTES,
                  FC_SET_IF_LEASE, 0, subject_token);
}

static uint8_t read_value[STAGE_VALUE_MAX];

int32_t stage_read_subject(const stage *s) {
    return fc_get(s->handle, subject_key, subject_key_len, read_value, sizeof read_value, 0, NULL);
}

sight stage_look(const stage *s, uint32_t number) {
    char key[32];
    uint32_t key_len = key_of(s, number, key);
    fc_item item = {0};
    sight seen = {
        .length = fc_get(s->handle, key, key_len, read_value, sizeof read_value, FC_PEEK, &item)};
    if (seen.length < 0) return seen;
    seen.type = item.type;
    seen.digest = fc_hash(read_value, (uint32_t)seen.length, 1);
    seen.deadline = item.ttl_ms < 1e18;
    return seen;
}

bool sight_same(const sight *a, const sight *b) {
    return a->length == b->length && a->type == b->type && a->digest == b->digest &&
           a->deadline == b->deadline;
}

/* The hash seed decides where everything lies: make it follow from the test's. */
static void seed_replace(stage *s, const fc_options *options, uint64_t seed) {
    superblock_write(cache_superblock(s->cache), options, &s->cache->geometry, seed);
    s->cache->hash_seed = seed;
}

stage scenario_stage(const scenario *wanted, uint64_t seed) {
    fc_options options = {.struct_size = sizeof options,
                          .kind = FC_KIND_PRIVATE,
                          .create = FC_CREATE_OR_ATTACH,
                          .shards = 1,
                          .size_bytes = SIZE_BYTES,
                          .eviction = wanted->eviction,
                          .max_entries = wanted->max_entries,
                          .lock_wait_ms = 1};
    fc_report report;
    CHECK(fc_open(&options, NULL, 0, &report) == FC_OK, "%s", report.message);
    stage s = {.handle = report.handle, .cache = (cache *)handle_get(report.handle)};
    s.cache->attachment->thread = ANOTHER_THREAD;
    for (uint32_t i = 0; i < STAGE_KEYS_MAX; i++) s.names[i] = i;
    seed_replace(&s, &options, seed);
    subject_key_len = key_of(&s, SUBJECT, subject_key);
    wanted->fill(&s);
    subject_key_len = key_of(&s, SUBJECT, subject_key);
    fill_value(new_value, sizeof new_value, seed);
    s.cache->clock_base_ms += wanted->passes_ms;
    return s;
}

stage scenario_attach(const scenario *of, const stage *like, int fd) {
    fc_options options = {
        .struct_size = sizeof options, .kind = FC_KIND_FD, .fd = fd, .lock_wait_ms = 1};
    fc_report report;
    CHECK(fc_open(&options, NULL, 0, &report) == FC_OK, "%s", report.message);
    stage s = *like;
    s.handle = report.handle;
    s.cache = (cache *)handle_get(report.handle);
    s.cache->attachment->thread = ANOTHER_THREAD;
    s.cache->clock_base_ms += of->passes_ms;
    return s;
}

void stage_close(stage *s) { CHECK_STATUS(FC_OK, fc_close(s->handle)); }

/* ----------------------------------------------------------------- filling */

static void put(stage *s, uint32_t number, uint32_t len, uint32_t generation) {
    CHECK_STATUS(FC_OK, stage_set(s, number, len, generation));
    if (number >= s->keys) s->keys = number + 1;
}

static shard shard_only(const stage *s) { return shard_at(s->cache, 0); }

/* Keys 1 to `count`; the subject stays absent. */
static void fill_some(stage *s) {
    for (uint32_t i = 1; i <= 40; i++) put(s, i, i * 7 % 300, 1);
}

static void fill_with_subject(stage *s) {
    fill_some(s);
    put(s, SUBJECT, SMALL, 1);
}

static void fill_with_large_subject(stage *s) {
    fill_some(s);
    put(s, SUBJECT, LARGE, 1);
}

static void fill_with_mortal_subject(stage *s) {
    fill_some(s);
    CHECK_STATUS(FC_OK, set_with_deadline(s, SUBJECT, LARGE, 1, 1000000));
}

static void fill_with_number(stage *s) {
    fill_some(s);
    CHECK_STATUS(FC_OK, fc_increment(s->handle, "key-0", 5, BY_NUMBER, 0, 0, &(double){0}));
}

/* Four fifths live, much of it overwritten: what follows has to compact. */
static void fill_overwritten(stage *s, uint32_t keys, uint32_t len) {
    uint64_t random = s->cache->hash_seed;
    put(s, SUBJECT, SMALL, 1);
    for (uint32_t i = 1; i <= keys; i++) put(s, i, len, 1);
    for (uint32_t i = 0; i < keys; i++) put(s, 1 + random_below(&random, keys), len, 2);
}
static void fill_small_overwritten(stage *s) { fill_overwritten(s, 1200, 600); }
static void fill_large_overwritten(stage *s) { fill_overwritten(s, 110, 7000); }

/* More than fits, some of it used again: what follows has to evict. */
static void fill_beyond(stage *s, uint32_t keys, uint32_t len) {
    for (uint32_t i = 1; i <= keys; i++) {
        put(s, i, len, 1);
        char key[32];
        uint32_t key_len = key_of(s, 1 + i / 2, key);
        if (i % 3 == 0) (void)fc_get(s->handle, key, key_len, NULL, 0, 0, NULL);
    }
    put(s, SUBJECT, SMALL, 1);
}
static void fill_small_beyond(stage *s) { fill_beyond(s, 2400, 500); }
static void fill_large_beyond(stage *s) { fill_beyond(s, 200, 7000); }
static void fill_to_limit(stage *s) {
    for (uint32_t i = 1; i <= 64; i++) put(s, i, SMALL, 1);
}

/* The next new key splits a bucket. */
static void fill_to_split(stage *s) {
    shard only = shard_only(s);
    while (!index_wants_growth(&only)) put(s, s->keys ? s->keys : 1, 40, 1);
}

/* The same, and the new bucket begins an extent. */
static void fill_to_index_extent(stage *s) {
    shard only = shard_only(s);
    uint32_t per_extent = 1u << only.geometry->buckets_per_extent_shift;
    while (index_size(&only) < per_extent) put(s, s->keys ? s->keys : 1, 40, 1);
    fill_to_split(s);
}

/* Numbers whose keys all want the same two buckets, as many as the buckets hold and `more`. */
static void fill_two_buckets(stage *s, uint32_t more) {
    uint32_t name = 0, wanted = 2 * BUCKET_WORDS + more;
    for (uint32_t i = 0; i <= wanted; name++) {
        s->names[i] = name;
        uint64_t hash = hash_of(s, i);
        uint32_t first = index_address(hash_first(hash), BUCKETS_MIN);
        uint32_t second = index_address(hash_second(hash), BUCKETS_MIN);
        if (first < 2 && second < 2 && first != second) i++;
    }
    for (uint32_t i = wanted + 1; i < STAGE_KEYS_MAX; i++) s->names[i] = name++;
    for (uint32_t i = 1; i <= wanted; i++) put(s, i, 40, 1);
    CHECK(load_u32_relaxed(&shard_only(s).header->stash_count) == more, "the stash");
}
static void fill_before_stash(stage *s) { fill_two_buckets(s, 0); }
/* The next set finds room in its bucket for the word in the stash. */
static void fill_into_stash(stage *s) {
    fill_two_buckets(s, 1);
    for (uint32_t i = 1; i <= 6; i++) CHECK_STATUS(FC_OK, stage_delete(s, i));
}

/* The next entry that leaves makes so little of the index used that a split is undone. */
static void fill_to_undone_split(stage *s) {
    shard only = shard_only(s);
    put(s, SUBJECT, SMALL, 1);
    for (uint32_t i = 1; i < 150; i++) put(s, i, 40, 1);
    const uint64_t least = (uint64_t)index_size(&only) * BUCKET_WORDS / 4;
    for (uint32_t i = 149; load_u64_relaxed(&only.header->entries) > least; i--)
        CHECK_STATUS(FC_OK, stage_delete(s, i));
    CHECK(!index_wants_shrinking(&only), "the split is undone already");
}

/* Half of the entries, the subject among them, expire within the second. */
static void fill_with_deadlines(stage *s) {
    for (uint32_t i = 0; i < 60; i++)
        CHECK_STATUS(FC_OK, set_with_deadline(s, i, 300, 1, i % 2 ? 0 : 500));
    s->keys = 60;
}

/* A dead owner's lock, and notes that are not true. */
static void fill_orphaned(stage *s) {
    fill_with_large_subject(s);
    for (uint32_t i = 1; i <= 20; i++) CHECK_STATUS(FC_OK, stage_delete(s, i));
    shard_header *header = shard_only(s).header;
    header->lock = 9ull << 32 | (200 + 1);
    header->entries += 3;
    header->live_bytes += 500;
    header->free_extents -= 2;
}

/* Somebody computes the subject's value, and another waits for it; so it is with other keys. */
static void lease_subject(stage *s) {
    fc_lease lease;
    CHECK_STATUS(FC_LEASE_TAKEN, begin(s, -1, &lease));
    subject_token = lease.token;
    CHECK_STATUS(FC_LEASE_HELD, begin(s, -1, &lease));
    for (int i = 0; i < 6; i++) {
        char key[16];
        snprintf(key, sizeof key, "computed-%d", i);
        CHECK_STATUS(FC_LEASE_TAKEN, fc_lease_begin(s->handle, key, (uint32_t)strlen(key), LEASE_MS,
                                                    0, -1, &lease));
    }
}
static void fill_with_lease(stage *s) {
    fill_some(s);
    lease_subject(s);
}
static void fill_with_lease_and_subject(stage *s) {
    fill_with_subject(s);
    lease_subject(s);
}
static void fill_with_failure(stage *s) {
    char text[FC_LEASE_TEXT_MAX];
    fill_with_lease(s);
    memset(text, '!', sizeof text);
    CHECK_STATUS(FC_OK, fc_lease_end(s->handle, subject_key, subject_key_len, subject_token,
                                     FC_LEASE_FAIL, LEASE_MS, text, sizeof text));
}
/* The owner's slot has had no such incarnation. */
static void fill_with_lease_of_the_dead(stage *s) {
    fill_with_lease(s);
    shard only = shard_only(s);
    for (uint32_t i = 0; i < s->cache->geometry.lease_lines; i++)
        only.leases[i].as.held.owner = 9ull << 32 | (200 + 1);
}

/* ------------------------------------------------------------------- calls */

static int32_t set_subject(const stage *s, uint32_t len, uint32_t mode, double ttl_ms,
                           double version) {
    return fc_set(s->handle, subject_key, subject_key_len, new_value, len, FC_TYPE_BYTES, mode,
                  ttl_ms, version);
}

static int32_t call_set(const stage *s) { return set_subject(s, SMALL, FC_SET, 0, 0); }
static int32_t call_set_bigger(const stage *s) { return set_subject(s, 2500, FC_SET, 0, 0); }
static int32_t call_set_large(const stage *s) { return set_subject(s, LARGE - 500, FC_SET, 0, 0); }
static int32_t call_set_lasting(const stage *s) { return set_subject(s, SMALL, FC_SET, 1e6, 0); }
static int32_t call_set_over_at_once(const stage *s) {
    return set_subject(s, SMALL, FC_SET, -1, 0);
}
static int32_t call_set_kept_deadline(const stage *s) {
    return set_subject(s, LARGE - 500, FC_SET | FC_KEEP_TTL, 0, 0);
}
static int32_t call_add(const stage *s) { return set_subject(s, SMALL, FC_SET_IF_ABSENT, 0, 0); }
static int32_t call_replace(const stage *s) {
    return set_subject(s, SMALL, FC_SET_IF_PRESENT, 0, 0);
}

static int32_t compare_and_set(const stage *s, double ahead) {
    fc_item item = {0};
    (void)fc_get(s->handle, subject_key, subject_key_len, NULL, 0, FC_PEEK, &item);
    return set_subject(s, SMALL, FC_SET_IF_VERSION, 0, item.version + ahead);
}
static int32_t call_compare_and_set(const stage *s) { return compare_and_set(s, 0); }
static int32_t call_compare_other_version(const stage *s) { return compare_and_set(s, 1); }

static int32_t call_delete(const stage *s) {
    return fc_delete(s->handle, subject_key, subject_key_len);
}
static int32_t call_clear(const stage *s) { return fc_clear(s->handle); }

static int32_t call_begin(const stage *s) { return stage_begin(s); }
static int32_t call_land(const stage *s) { return stage_land(s); }
static int32_t call_force(const stage *s) {
    fc_lease lease;
    return fc_lease_begin(s->handle, subject_key, subject_key_len, LEASE_MS, FC_LEASE_FORCE, -1,
                          &lease);
}
static int32_t end(const stage *s, uint32_t how) {
    return fc_lease_end(s->handle, subject_key, subject_key_len, subject_token, how, LEASE_MS,
                        new_value, FC_LEASE_TEXT_MAX);
}
static int32_t call_pass(const stage *s) { return end(s, FC_LEASE_PASS); }
static int32_t call_fail(const stage *s) { return end(s, FC_LEASE_FAIL); }
static int32_t call_give_up(const stage *s) { return end(s, FC_LEASE_GIVE_UP); }

static int32_t call_increment(const stage *s) {
    double sum;
    return fc_increment(s->handle, subject_key, subject_key_len, 1, 100, 0, &sum);
}

static int32_t call_touch(const stage *s) {
    return fc_touch(s->handle, subject_key, subject_key_len, 1e6);
}

#define HOUR_MS 3600000u

#define NAMED(of, filled, called) .name = of, .fill = filled, .call = called

const scenario scenarios[] = {
    {NAMED("set a new key", fill_some, call_set)},
    {NAMED("set over an old value", fill_with_subject, call_set)},
    {NAMED("set a large value", fill_some, call_set_large)},
    {NAMED("set large over large", fill_with_large_subject, call_set_large)},
    {NAMED("set small over large", fill_with_large_subject, call_set)},
    {NAMED("set with a deadline", fill_with_subject, call_set_lasting)},
    {NAMED("set, which is over at once", fill_with_large_subject, call_set_over_at_once)},
    {NAMED("set, which keeps the deadline", fill_with_mortal_subject, call_set_kept_deadline)},
    {NAMED("set, which compacts", fill_small_overwritten, call_set_bigger)},
    {NAMED("set, which compacts chunks", fill_large_overwritten, call_set_bigger)},
    {NAMED("set, which evicts", fill_small_beyond, call_set_bigger), .evicts = true},
    {NAMED("set, which evicts chunks", fill_large_beyond, call_set_large), .evicts = true},
    {NAMED("set, which evicts (s3-fifo)", fill_small_beyond, call_set_bigger), .evicts = true,
     .eviction = FC_EVICTION_S3FIFO},
    {NAMED("set at the limit of entries", fill_to_limit, call_set), .evicts = true,
     .max_entries = 64},
    {NAMED("set, which splits a bucket", fill_to_split, call_set)},
    {NAMED("set, which gives the index an extent", fill_to_index_extent, call_set)},
    {NAMED("set into the stash", fill_before_stash, call_set)},
    {NAMED("set, which empties the stash", fill_into_stash, call_set)},
    {NAMED("set over expired entries", fill_with_deadlines, call_set_bigger), .passes_ms = HOUR_MS},
    {NAMED("set after a dead owner", fill_orphaned, call_set)},
    {NAMED("delete", fill_with_subject, call_delete)},
    {NAMED("delete a large value", fill_with_large_subject, call_delete)},
    {NAMED("delete, which undoes a split", fill_to_undone_split, call_delete)},
    {NAMED("delete nothing", fill_some, call_delete), .result = FC_MISS, .lasts = true},
    {NAMED("increment", fill_with_number, call_increment)},
    {NAMED("increment from nothing", fill_some, call_increment)},
    {NAMED("compare and set", fill_with_subject, call_compare_and_set)},
    {NAMED("compare another version", fill_with_subject, call_compare_other_version),
     .result = FC_MISS, .lasts = true},
    {NAMED("add", fill_some, call_add)},
    {NAMED("add to a present key", fill_with_subject, call_add), .result = FC_MISS, .lasts = true},
    {NAMED("replace", fill_with_subject, call_replace)},
    {NAMED("touch", fill_with_subject, call_touch)},
    {NAMED("clear", fill_with_large_subject, call_clear)},
    {NAMED("begin a lease", fill_some, call_begin), .lasts = true},
    {NAMED("begin a lease after a dead owner", fill_with_lease_of_the_dead, call_begin),
     .lasts = true},
    {NAMED("begin a lease beside the owner", fill_with_lease, call_begin), .result = FC_LEASE_HELD,
     .lasts = true},
    {NAMED("force a lease", fill_with_lease, call_force), .lasts = true},
    {NAMED("force a lease after a failure", fill_with_failure, call_force), .lasts = true},
    {NAMED("set by a lease", fill_with_lease, call_land)},
    {NAMED("end a lease", fill_with_lease, call_pass), .lasts = true},
    {NAMED("end a lease with a failure", fill_with_lease, call_fail), .lasts = true},
    {NAMED("end a lease, and let all run", fill_with_lease, call_give_up), .lasts = true},
    {NAMED("set, which takes the lease away", fill_with_lease, call_set), .fences = true},
    {NAMED("delete, which takes the lease away", fill_with_lease_and_subject, call_delete),
     .fences = true},
    {NAMED("increment, which takes the lease away", fill_with_lease, call_increment),
     .fences = true},
    {NAMED("clear, which takes leases away", fill_with_lease_and_subject, call_clear),
     .fences = true},
};
const uint32_t scenario_count = sizeof scenarios / sizeof *scenarios;
