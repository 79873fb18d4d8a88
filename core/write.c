/* SPDX-License-Identifier: MIT
 *
 * write.c: see write.h. Every operation is: lock, find, decide, make room, append, publish,
 * unlock. A death anywhere leaves the old entry or the new one, as one index word decides.
 */
#include "write.h"

#include <math.h>

#include "arguments.h"
#include "clean.h"
#include "clock.h"
#include "entry.h"
#include "evict.h"
#include "guard.h"
#include "lock.h"

/* How often a stubborn bucket may be split for one insertion; see index_room. */
#define FORCED_SPLITS 16

typedef struct target {
    shard s;
    uint64_t hash;
    const uint8_t *key;
    uint32_t key_len;
    bool present;
    found entry;
} target;

/* What an operation on the key works on. FC_OK, or what is wrong with the key. */
static int32_t aim(target *t, const cache *c, const void *key, uint32_t key_len) {
    const int32_t status = key_check(key_len);
    if (unlikely(status != FC_OK)) return status;
    const uint64_t hash = fc_hash(key, key_len, c->hash_seed);
    *t = (target){.s = shard_of(c, hash), .hash = hash, .key = key, .key_len = key_len};
    return FC_OK;
}

/* Finds the entry; one past its deadline counts as absent, and goes. */
static void look_up(target *t) {
    t->present = index_find(&t->s, t->hash, t->key, t->key_len, &t->entry);
    if (!t->present || !deadline_passed(t->s.cache, t->entry.record.header.deadline_ms)) return;
    (void)entry_drop(&t->s, &t->entry);
    cache_count(t->s.cache, COUNT_EXPIRATIONS, 1);
    t->present = false;
}

/* An empty word for a new entry. The index grows a little ahead of need; when both buckets and
 * the stash are full and it cannot grow, an entry of the two buckets leaves. */
static uint64_t *make_index_room(const target *t) {
    const shard *s = &t->s;
    if (index_wants_growth(s) || load_u32_relaxed(&s->header->stash_count)) index_grow(s);
    uint64_t *word = index_room(s, t->hash);
    for (int i = 0; !word && i < FORCED_SPLITS && index_grow(s); i++) word = index_room(s, t->hash);
    if (word) return word;
    found victim;
    if (!index_victim(s, t->hash, &victim)) return NULL;
    if (record_load(s, word_offset(victim.value), &victim.record) && victim.record.key) {
        (void)entry_drop(s, &victim);
        cache_count(s->cache, COUNT_EVICTIONS, 1);
    } else {
        (void)index_clear_word(s, victim.word);
    }
    return index_room(s, t->hash);
}

/* Makes room and stores; t->present and t->entry say what is there now. */
static int32_t store(target *t, const write_value *value, uint64_t deadline_ms) {
    const shard *s = &t->s;
    int32_t status = FC_OK;
    if (!t->present) status = clean_below(s, s->geometry->shard_entries_max);
    if (status != FC_OK) return status;
    const placement where = eviction_of(s)->admit(s, t->hash, t->present ? &t->entry : NULL);
    bool moved;
    uint64_t replaced = t->present ? entry_bytes(s, &t->entry) : 0;
    status = clean_for(s, where.lane, t->key_len, value->len, replaced, &moved);
    if (status != FC_OK) return status;
    if (moved) look_up(t);
    uint64_t *room = t->present ? NULL : make_index_room(t);
    if (!t->present && !room) return FC_CORRUPT;

    uint64_t version = (load_u64_relaxed(&s->header->version) + 1) & VERSION_MASK;
    store_u64_relaxed(&s->header->version, version);
    record_header header = {
        .deadline_ms = deadline_ms,
        .version = version,
        .value_len = value->len,
        .key_len = (uint16_t)t->key_len,
        .type = (uint8_t)value->type,
    };
    log_value bytes;
    bytes.split_min = s->geometry->tail_split_min;
    bytes.rest = value->bytes;
    bytes.rest_len = value->len;
    bytes.chunks = 0;
    if (!entry_store(s, where, t->hash, header, t->key, &bytes, t->present ? &t->entry : NULL,
                     room))
        return lock_is_ours(s->cache, s->header) ? FC_CORRUPT : FC_BUSY;
    if (cache_lost(s->cache)) return FC_CORRUPT;
    cache_count(s->cache, COUNT_SETS, 1);
    return FC_OK;
}

/* Notes that make no sense are rebuilt once; a second failure is the answer. */
static int32_t store_or_recount(target *t, const write_value *value, uint64_t deadline_ms) {
    int32_t status = store(t, value, deadline_ms);
    if (status != FC_CORRUPT) return status;
    status = guard_recount(&t->s);
    if (status != FC_OK) return status;
    look_up(t);
    return store(t, value, deadline_ms);
}

static bool condition_met(const target *t, uint32_t mode, double version) {
    switch (mode) {
    case FC_SET_IF_ABSENT:
        return !t->present;
    case FC_SET_IF_PRESENT:
        return t->present;
    case FC_SET_IF_VERSION:
        return t->present && (double)t->entry.record.header.version == version;
    default:
        return true;
    }
}

static int32_t set(target *t, const write_value *value, uint32_t mode, double version) {
    const cache *c = t->s.cache;
    int32_t status = value_check(c, value->len, value->type, value->ttl_ms);
    if (status != FC_OK) return status;
    if (mode > FC_SET_IF_VERSION || !(version >= 0 && version <= (double)VERSION_MASK))
        return FC_INVALID_ARGUMENT;
    const uint64_t deadline_ms = deadline_after(c, value->ttl_ms);
    /* Fetch what the lock's holder will need while nobody waits for us. */
    prefetch(&t->s.header->lock);
    prefetch(&t->s.header->entries);
    prefetch(&t->s.header->deadline_min);
    bucket_pair pair;
    index_prefetch(&t->s, t->hash, &pair);
    (void)index_prefetch_record(&t->s, t->hash, &pair);
    status = guard_lock(&t->s);
    if (status != FC_OK) return status;
    look_up(t);
    status = condition_met(t, mode, version) ? store_or_recount(t, value, deadline_ms) : FC_MISS;
    guard_unlock(&t->s);
    return status;
}

int32_t write_set(const cache *c, const void *key, uint32_t key_len, const write_value *value,
                  uint32_t mode, double version) {
    target t;
    const int32_t status = aim(&t, c, key, key_len);
    return likely(status == FC_OK) ? set(&t, value, mode, version) : status;
}

int32_t write_set_hashed(const cache *c, uint64_t hash, const void *key, uint32_t key_len,
                         const write_value *value) {
    target t = {.s = shard_of(c, hash), .hash = hash, .key = key, .key_len = key_len};
    return set(&t, value, FC_SET, 0);
}

static int32_t delete(target *t) {
    int32_t status = guard_lock(&t->s);
    if (status != FC_OK) return status;
    look_up(t);
    status = FC_MISS;
    if (t->present) {
        status = entry_drop(&t->s, &t->entry) ? FC_OK : FC_BUSY;
        if (status == FC_OK) cache_count(t->s.cache, COUNT_DELETES, 1);
    }
    guard_unlock(&t->s);
    return status;
}

int32_t write_delete(const cache *c, const void *key, uint32_t key_len) {
    target t;
    const int32_t status = aim(&t, c, key, key_len);
    return likely(status == FC_OK) ? delete(&t) : status;
}

int32_t write_delete_hashed(const cache *c, uint64_t hash, const void *key, uint32_t key_len) {
    target t = {.s = shard_of(c, hash), .hash = hash, .key = key, .key_len = key_len};
    return delete(&t);
}

int32_t write_touch(const cache *c, const void *key, uint32_t key_len, double ttl_ms) {
    target t;
    int32_t status = aim(&t, c, key, key_len);
    if (status != FC_OK) return status;
    if (!ttl_valid(ttl_ms)) return FC_INVALID_ARGUMENT;
    const uint64_t deadline_ms = deadline_after(c, ttl_ms);
    status = guard_lock(&t.s);
    if (status != FC_OK) return status;
    look_up(&t);
    status = FC_MISS;
    if (t.present) status = entry_touch(&t.s, &t.entry, deadline_ms) ? FC_OK : FC_BUSY;
    guard_unlock(&t.s);
    return status;
}

/* The number that the entry holds; false if it holds something else. */
static bool number_of(const target *t, double *number) {
    const record *r = &t->entry.record;
    if (r->header.type != FC_TYPE_NUMBER || r->header.value_len != sizeof *number) return false;
    if (r->header.form != RECORD_INLINE) return false; /* 8 bytes are never cut */
    copy_from_shared(number, r->value, sizeof *number);
    return true;
}

int32_t write_increment(const cache *c, const void *key, uint32_t key_len, double by,
                        double initial, double ttl_ms, double *result) {
    target t;
    int32_t status = aim(&t, c, key, key_len);
    if (status != FC_OK) return status;
    if (!ttl_valid(ttl_ms) || !isfinite(by) || !isfinite(initial)) return FC_INVALID_ARGUMENT;
    uint64_t deadline_ms = deadline_after(c, ttl_ms);
    status = guard_lock(&t.s);
    if (status != FC_OK) return status;
    look_up(&t);
    double number = initial;
    if (t.present && !number_of(&t, &number)) {
        status = FC_INVALID_ARGUMENT;
    } else {
        if (t.present) deadline_ms = t.entry.record.header.deadline_ms;
        number += by;
        const write_value value = {&number, sizeof number, FC_TYPE_NUMBER, 0};
        status = store_or_recount(&t, &value, deadline_ms);
        if (status == FC_OK) *result = number;
    }
    guard_unlock(&t.s);
    return status;
}

/* ------------------------------------------------------------------- clear */

static void clear_word(void *context, uint64_t *word, uint32_t number) {
    (void)number;
    (void)index_clear_word(context, word);
}

/* Empties the index, then lets the recount draw the consequences. */
static int32_t clear_shard(shard *s) {
    int32_t status = guard_lock(s);
    if (status != FC_OK) return status;
    index_walk(s, clear_word, s);
    status = guard_recount(s);
    guard_unlock(s);
    return status;
}

int32_t write_clear(const cache *c) {
    int32_t result = FC_OK;
    for (uint32_t i = 0; i < c->geometry.shards; i++) {
        shard s = shard_at(c, i);
        int32_t status = clear_shard(&s);
        if (result == FC_OK) result = status;
    }
    return result;
}
