/* SPDX-License-Identifier: MIT
 *
 * stages_test.c: a lookup in stages (read.h) whose shard changes between the stages, as it may for
 * each key of a batch. What the early stages found counts only if nothing of it was reused since;
 * and a late reader stores nothing where its word was.
 */
#include "harness.h"

#include "cache.h"
#include "handle.h"
#include "mark.h"
#include "read.h"

#define KEYS 3000u
#define LEN 200u

static void set(uint32_t handle, uint64_t key) {
    uint8_t value[LEN];
    fill_value(value, LEN, key);
    CHECK_STATUS(FC_OK, fc_set(handle, &key, sizeof key, value, LEN, FC_TYPE_BYTES, FC_SET, 0, 0));
}

static uint64_t keys[KEYS];
static lookup lookups[KEYS];
static record records[KEYS]; /* where the lookups led at first */

static void begin(const cache *c) {
    for (uint64_t i = 0; i < KEYS; i++) {
        keys[i] = i;
        lookups[i] = (lookup){.key = &keys[i], .key_len = sizeof keys[i]};
        read_begin(c, &lookups[i]);
        read_approach(&lookups[i]);
        const lookup *l = &lookups[i];
        /* Of a key in the stash nothing is found ahead. */
        const uint64_t offset = l->word ? word_offset(*l->word) : UINT64_MAX;
        if (!record_load(&l->s, offset, &records[i])) records[i].extent = EXTENT_NONE;
    }
}

static bool reopened(const shard *s, uint32_t i, uint64_t sequence) {
    const uint32_t extent = records[i].extent;
    return extent != EXTENT_NONE && load_u64_relaxed(&s->lives[extent].generation) > sequence;
}

/* Sets other keys until an extent that held one of ours has just been opened anew. */
static void reopen_one(uint32_t handle, const shard *s, uint64_t sequence) {
    for (uint64_t key = KEYS;; key++) {
        for (uint32_t i = 0; i < KEYS; i++)
            if (reopened(s, i, sequence)) return;
        set(handle, key);
    }
}

/* clear() leaves words behind in what was the index. They still lead to old records, and some of
 * these are whole, but lie in an extent that was opened anew, where the next set will write. */
static void a_batch_across_clear(void) {
    for (uint32_t policy = FC_EVICTION_LRU; policy <= FC_EVICTION_S3FIFO; policy++) {
        const uint32_t handle = private_open_with(policy, FC_SIZE_MIN, 1, 0);
        const cache *c = handle_get(handle);
        const shard s = shard_at(c, 0);
        for (uint64_t i = 0; i < KEYS; i++) set(handle, i);
        begin(c);
        CHECK_STATUS(FC_OK, fc_clear(handle));
        const uint64_t before = load_u64_relaxed(&s.header->sequence);
        reopen_one(handle, &s, before);
        uint32_t tempting = 0;
        for (uint32_t i = 0; i < KEYS; i++) {
            if (!reopened(&s, i, before)) continue;
            const record *r = &records[i];
            record now;
            uint8_t value[LEN];
            read_result result;
            tempting += word_offset(*lookups[i].word) == r->offset &&
                        record_load(&s, r->offset, &now) && now.identity == r->identity &&
                        record_has_key(&now, &keys[i], sizeof keys[i]);
            CHECK_STATUS(FC_MISS, read_finish(&lookups[i], value, LEN, 0, &result));
        }
        CHECK(tempting > 0, "no old record lies whole in an extent that was opened anew");
        CHECK_STATUS(FC_OK, fc_close(handle));
    }
}

/* A reader may be stopped before it stores the mark; by then there may be a record. */
static void a_mark_that_comes_late(void) {
    const uint64_t value = word_make(0x1234, 7, 4096);
    uint64_t place = value;
    mark_note(&place, value, 8);
    CHECK(place == word_make(0x1234, 8, 4096), "the mark is not stored");
    for (uint32_t bit = 0; bit < 64; bit++) {
        const uint64_t other = value ^ 1ull << bit;
        place = other;
        mark_note(&place, value, 8);
        CHECK(place == other, "what is there now was changed");
    }
}

int main(void) {
    TEST(a_batch_across_clear);
    TEST(a_mark_that_comes_late);
    return TESTS_DONE();
}
