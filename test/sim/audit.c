/* SPDX-License-Identifier: MIT
 *
 * audit.c: see audit.h.
 */
#include "audit.h"

#include "index.h"
#include "judge.h"

/* Of the keys that are followed, and of the fillers; each look is one of the oracle's. */
static uint32_t count_present(mind *m) {
    const settings *s = world.settings;
    const uint32_t fillers = s->fillers;
    uint32_t present = 0;
    for (uint32_t i = 0; i < s->keys + fillers; i++) {
        const uint32_t key = i < s->keys ? i : FILLER_FIRST + i - s->keys;
        double version;
        judge_begin(m, "audit", key);
        const int32_t status = call_get(&m->c, key, VALUE_BYTES_MAX, true, &version);
        if (status < 0 && status != FC_MISS) judge_unexpected(m, status);
        present += status >= 0;
        if (status == FC_MISS)
            judge_missed(m, key, false);
        else
            (void)judge_saw(m, key, m->c.response, (uint32_t)status, version);
    }
    return present;
}

static void verified(mind *m, const char *when) {
    fc_report report;
    if (fc_verify(m->c.handle, &report) != FC_OK)
        world_broken("walker", "%s: %s", when, report.message);
}

static uint32_t entries_of(const mind *m) {
    double entries = -1;
    if (fc_size(m->c.handle, &entries) != FC_OK) world_broken("audit", "no size");
    return (uint32_t)entries;
}

static uint32_t count_iterated(mind *m) {
    fc_cursor cursor = {{0}};
    uint32_t used, all = 0;
    int32_t keys;
    while ((keys = fc_iterate(m->c.handle, &cursor, m->c.response, RESPONSE_BYTES, &used)) >= 0)
        all += (uint32_t)keys;
    return all;
}

/* What everybody can do with a segment that others died in. */
static void use(mind *m) {
    for (uint32_t key = 0; key < world.settings->keys; key++) {
        const uint64_t id = (uint64_t)(m->me->number + 1) << 32 | key;
        double version;
        value_make(m->c.request + FC_IO_VALUE, 500, id, key);
        int32_t status = call_set(&m->c, key, 500, FC_SET, 0, 0);
        if (status != FC_OK) world_broken("audit", "set of key %u gave %d", key, status);
        status = call_get(&m->c, key, VALUE_BYTES_MAX, false, &version);
        if (status != 500 || value_check(m->c.response, 500, key) != id)
            world_broken("audit", "key %u was set, and then get gave %d", key, status);
    }
}

static bool in_stash(const mind *m, uint32_t key) {
    const cache *c = mind_cache(m);
    const uint64_t hash = fc_hash(key_bytes(key), KEY_LEN, c->hash_seed);
    const shard s = shard_of(c, hash);
    found entry;
    return index_find(&s, hash, key_bytes(key), KEY_LEN, &entry) &&
           entry.word >= s.stash[0].words && entry.word < s.stash[STASH_BUCKETS].words;
}

static uint32_t stash_words(const mind *m) {
    uint32_t words = 0;
    for (uint32_t i = 0; i < world.settings->shards; i++)
        words += shard_at(mind_cache(m), i).header->stash_count;
    return words;
}

/* Where there is room in the bucket of its first hash again, each new entry takes a word out of the
 * stash. Few are left there, so that one bucket holds them all. */
static void stash_empties(mind *m) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < world.settings->fillers; i++)
        (void)call_delete(&m->c, FILLER_FIRST + i);
    for (uint32_t key = 0; key < world.settings->keys; key++)
        if (left < BUCKET_WORDS / 2 && in_stash(m, key))
            left++;
        else
            (void)call_delete(&m->c, key);
    for (uint32_t i = 0; i < 2 * STASH_WORDS * world.settings->shards && stash_words(m); i++) {
        const uint32_t key = FILLER_FIRST + i % FILLERS_MAX;
        (void)call_delete(&m->c, key);
        value_make(m->c.request + FC_IO_VALUE, VALUE_LEN_MIN, 2, key);
        const int32_t status = call_set(&m->c, key, VALUE_LEN_MIN, FC_SET, 0, 0);
        if (status != FC_OK) judge_unexpected(m, status);
    }
    if (stash_words(m))
        world_broken("stash", "%u words stay in the stash, although their buckets have room",
                     stash_words(m));
}

void audit(mind *m) {
    world_begin_operation(0, UINT64_MAX);
    world_wait(NULL, world_now_us() + world.settings->unlock_us_max); /* until the dead let go */
    if (!mind_open(m, FC_ATTACH)) return; /* nobody came to create it, or it was destroyed */
    verified(m, "after the run");
    /* An invalidation that died midway may have killed entries, and not said so. */
    if (call_delete_by_tag(&m->c, TAGS) != FC_OK) world_broken("audit", "no tag can be deleted");
    /* In the millisecond of a recount, what has expired is not told from what will in that one. */
    world_wait(NULL, world_now_us() + 2000);
    const uint32_t most = entries_of(m);
    const uint32_t present = count_present(m);
    const uint32_t met = count_iterated(m);
    const uint32_t least = entries_of(m);
    if (present > most || met > present || least > met)
        world_broken("counts",
                     "there are %u entries, then %u are found, %u are met by an iteration, and "
                     "there are %u",
                     most, present, met, least);
    use(m);
    verified(m, "after use");
    stash_empties(m);
    verified(m, "after the stash was emptied");
    fc_stats_fields stats;
    if (fc_clear(m->c.handle) != FC_OK || fc_stats(m->c.handle, &stats) != FC_OK)
        world_broken("audit", "clear or stats failed");
    if (stats.entries != 0 || stats.bytes_used != 0)
        world_broken("audit", "after clear, %llu entries take %llu bytes",
                     (unsigned long long)stats.entries, (unsigned long long)stats.bytes_used);
    verified(m, "after clear");
}
