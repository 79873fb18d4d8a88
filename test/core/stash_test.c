/* SPDX-License-Identifier: MIT
 *
 * stash_test.c: keys that find both their buckets full: they lie in the stash, leave it as soon as
 * there is room, and where even the stash is full an entry of the two buckets makes way. Keys are
 * chosen by their hashes, under a seed that the test knows.
 */
#include "harness.h"

#include "cache.h"
#include "handle.h"
#include "hash.h"
#include "index.h"

#define SEED 7u

static const uint32_t policies[] = {FC_EVICTION_LRU, FC_EVICTION_S3FIFO};

static uint32_t handle;
static shard only;

static void begin(uint32_t policy, uint64_t size) {
    handle = private_open_with(policy, size, 1, 0);
    cache *c = (cache *)handle_get(handle);
    c->hash_seed = SEED;
    only = shard_at(c, 0);
}
static void end(void) {
    verify(handle);
    CHECK_STATUS(FC_OK, fc_close(handle));
}

static uint32_t in_stash(void) { return load_u32_relaxed(&only.header->stash_count); }
static uint32_t buckets(void) { return load_u32_relaxed(&only.header->buckets); }

/* The next key after `number` whose two buckets are 1 and 2 in tables of up to mask + 1 buckets. */
static uint64_t next_colliding(uint64_t number, uint32_t mask) {
    for (number++;; number++) {
        const uint64_t hash = fc_hash(&number, sizeof number, SEED);
        if ((hash_first(hash) & mask) == 1 && (hash_second(hash) & mask) == 2) return number;
    }
}

static int32_t set_number(uint64_t number) {
    return fc_set(handle, &number, sizeof number, &number, sizeof number, FC_TYPE_BYTES, FC_SET, 0,
                  0);
}
static bool is_there(uint64_t number) {
    uint64_t value;
    const int32_t len = fc_get(handle, &number, sizeof number, &value, sizeof value, 0, NULL);
    CHECK(len == FC_MISS || (len == sizeof value && value == number), "another value");
    return len != FC_MISS;
}
static void drop(uint64_t number) {
    CHECK_STATUS(FC_OK, fc_delete(handle, &number, sizeof number));
}

/* 200 keys of the same two buckets, in a table that cannot grow out of it: the 16 words and the
 * stash hold 80 of them. Nobody else has to leave. */
static void a_set_finds_a_place_when_the_stash_is_full_too(void) {
    for (int i = 0; i < 2; i++) {
        begin(policies[i], 1 << 20);
        const uint64_t others = 100, sets = 200;
        for (uint64_t other = 0; other < others; other++)
            CHECK_STATUS(FC_OK, set_number(1ull << 40 | other));
        uint32_t most = 0;
        uint64_t keys[200], key = 0;
        for (uint64_t n = 0; n < sets; n++) {
            keys[n] = key = next_colliding(key, 63);
            CHECK_STATUS(FC_OK, set_number(key));
            CHECK(is_there(key), "set %" PRIu64 " cannot be read", n);
            most = in_stash() > most ? in_stash() : most;
            if (n % 10 == 0) verify(handle);
        }
        CHECK(most == STASH_WORDS, "%u words of the stash were in use", most);
        const fc_stats_fields stats = stats_of(handle);
        CHECK(stats.evictions > 0 && stats.entries + stats.evictions == others + sets,
              "%" PRIu64 " entries, %" PRIu64 " evicted", stats.entries, stats.evictions);
        uint32_t kept = 0, others_kept = 0;
        for (uint64_t n = 0; n < sets; n++) kept += is_there(keys[n]);
        for (uint64_t other = 0; other < others; other++)
            others_kept += is_there(1ull << 40 | other);
        CHECK(kept >= STASH_WORDS + BUCKET_WORDS && kept <= STASH_WORDS + 2 * BUCKET_WORDS,
              "%u of those that collide are there", kept);
        CHECK(kept + others_kept == stats.entries, "%u and %u entries", kept, others_kept);
        /* Only those in the two buckets can have left. */
        CHECK(others_kept + 2 * BUCKET_WORDS >= others, "%u others are there", others_kept);
        end();
    }
}

/* Each new entry takes a word out of the stash, once its bucket has room. */
static void the_stash_empties_when_the_table_grows(void) {
    for (int i = 0; i < 2; i++) {
        begin(policies[i], 4 << 20);
        uint64_t keys[60], key = 0;
        for (int n = 0; n < 60; n++) {
            keys[n] = key = next_colliding(key, 63);
            CHECK_STATUS(FC_OK, set_number(key));
        }
        CHECK(in_stash() > 30, "%u words are in the stash", in_stash());
        for (uint64_t other = 0; buckets() < 2048; other++)
            CHECK_STATUS(FC_OK, set_number(1ull << 40 | other));
        CHECK(in_stash() == 0, "%u words are in the stash", in_stash());
        for (int n = 0; n < 60; n++) CHECK(is_there(keys[n]), "key %d is gone", n);
        CHECK(stats_of(handle).evictions == 0, "something was evicted");
        end();
    }
}

/* Undone splits put what finds no room back into the stash; it leaves as others make room. */
static void the_stash_fills_when_the_table_shrinks_and_empties_again(void) {
    for (int i = 0; i < 2; i++) {
        begin(policies[i], 4 << 20);
        const uint64_t others = 3000;
        for (uint64_t other = 0; other < others; other++)
            CHECK_STATUS(FC_OK, set_number(1ull << 40 | other));
        uint64_t keys[24], key = 0;
        for (int n = 0; n < 24; n++) {
            keys[n] = key = next_colliding(key, 15);
            CHECK_STATUS(FC_OK, set_number(key));
        }
        const uint32_t before = in_stash();
        for (uint64_t other = 0; other < others; other++) drop(1ull << 40 | other);
        for (int n = 0; n < 24; n++) CHECK(is_there(keys[n]), "key %d is gone", n);
        CHECK(buckets() < 16, "%u buckets", buckets());
        CHECK(in_stash() > before + 4, "%u words, before %u", in_stash(), before);
        verify(handle);
        for (int n = 0; n < 12; n++) drop(keys[n]);
        for (uint64_t other = 0; other < STASH_WORDS; other++) {
            CHECK_STATUS(FC_OK, set_number(1ull << 40 | other));
            drop(1ull << 40 | other);
        }
        CHECK(in_stash() == 0, "%u words are in the stash", in_stash());
        for (int n = 12; n < 24; n++) CHECK(is_there(keys[n]), "key %d is gone", n);
        end();
    }
}

/* A writer may stop between the two stores that take a word out of the stash. */
static void a_key_that_lies_in_stash_and_bucket_at_once_is_met_once(void) {
    begin(FC_EVICTION_LRU, 1 << 20);
    uint64_t key = 0;
    while (in_stash() < 2) {
        key = next_colliding(key, 63);
        CHECK_STATUS(FC_OK, set_number(key));
    }
    const double entries = (double)stats_of(handle).entries;
    uint64_t moving = 0;
    for (uint32_t i = 0; i < STASH_WORDS && !moving; i++)
        moving = load_u64_relaxed(stash_word(&only, i));
    bucket *home = index_bucket(&only, index_address(1, buckets()));
    const uint64_t displaced = home->words[0];
    home->words[0] = moving;
    static uint8_t keys[FC_ITERATE_CAPACITY_MIN];
    fc_cursor cursor = {{0}};
    uint32_t used;
    double met = 0;
    for (int32_t more; (more = fc_iterate(handle, &cursor, keys, sizeof keys, &used)) != FC_MISS;)
        met += more;
    CHECK(met == entries - 1, "%f keys of %f, one of which was displaced", met, entries);
    home->words[0] = displaced;
    end();
}

static void splits_are_undone_below_a_quarter_of_the_words(void) {
    begin(FC_EVICTION_LRU, 1 << 20);
    for (uint64_t number = 0; number < 1000; number++) CHECK_STATUS(FC_OK, set_number(number));
    const uint64_t entries = only.header->entries, quarter = 2 * (uint64_t)buckets();
    only.header->entries = quarter;
    CHECK(!index_wants_shrinking(&only), "a quarter is in use");
    only.header->entries = quarter - 1;
    CHECK(index_wants_shrinking(&only), "less than a quarter is in use");
    only.header->entries = entries;
    end();
}

static void clearing_empties_the_stash(void) {
    begin(FC_EVICTION_LRU, 1 << 20);
    uint64_t key = 0;
    for (int n = 0; n < 60; n++) CHECK_STATUS(FC_OK, set_number(key = next_colliding(key, 63)));
    CHECK(in_stash() > 0, "the stash is empty");
    CHECK_STATUS(FC_OK, fc_clear(handle));
    CHECK(in_stash() == 0 && !is_there(key) && stats_of(handle).entries == 0, "not empty");
    end();
}

int main(void) {
    TEST(a_set_finds_a_place_when_the_stash_is_full_too);
    TEST(the_stash_empties_when_the_table_grows);
    TEST(the_stash_fills_when_the_table_shrinks_and_empties_again);
    TEST(a_key_that_lies_in_stash_and_bucket_at_once_is_met_once);
    TEST(splits_are_undone_below_a_quarter_of_the_words);
    TEST(clearing_empties_the_stash);
    return TESTS_DONE();
}
