/* SPDX-License-Identifier: MIT
 *
 * judge.c: see judge.h.
 */
#include "judge.h"

#include <string.h>

#include "index.h"
#include "lock.h"
#include "process.h"
#include "system.h"

#define READ_ATTEMPTS 8u /* as in read.c */

static uint64_t owner_at(const mind *m, uint32_t key) {
    const cache *c = mind_cache(m);
    const shard s = shard_of(c, fc_hash(key_bytes(key), KEY_LEN, c->hash_seed));
    return lock_owner(s.header);
}

void judge_begin(mind *m, const char *name, uint32_t key) {
    m->key = key;
    m->name = name;
    m->me->attempts = 0;
    m->begin = oracle_now();
    m->began_ms = world_now_us() / 1000;
    m->dead_owner = 0;
    uint64_t owner;
    WITH_EYES_CLOSED(owner = owner_at(m, key));
    bool alive = true;
    if (owner) WITH_EYES_CLOSED(alive = process_alive(mind_cache(m), owner));
    if (!alive) m->dead_owner = owner;
    m->lockings = system_lockings(m->slot);
}

void judge_unexpected(const mind *m, int32_t status) {
    world_broken("status", "%s of key %u gave %d (%s)", m->name, m->key, status,
                 fc_status_text(status));
}

/* (While somebody takes the slot of the dead one, that looks alive.) */
void judge_refused(const mind *m) {
    if (m->dead_owner == 0 || m->lockings != system_lockings(m->slot)) return;
    uint64_t owner;
    WITH_EYES_CLOSED(owner = owner_at(m, m->key));
    if (owner == m->dead_owner)
        world_broken("take-over", "%s of key %u was refused, but the lock's owner is dead", m->name,
                     m->key);
}

void judge_missed(const mind *m, uint32_t key, bool gave_up) {
    if (key_is_followed(key) && !gave_up) oracle_missed(m->slot, key, m->begin);
}
void judge_was_there(const mind *m, uint32_t key) {
    if (key_is_followed(key)) oracle_was_there(m->slot, key, m->begin, m->name);
}

uint64_t judge_number(double number) { return 1ull << 63 | (uint64_t)number; }

uint64_t judge_saw(const mind *m, uint32_t key, const uint8_t *value, uint32_t len,
                   double version) {
    uint64_t id;
    if (key_is_number(key)) {
        double number;
        if (len != sizeof number) world_broken("torn", "number %u has %u bytes", key, len);
        memcpy(&number, value, sizeof number);
        id = judge_number(number);
    } else {
        id = value_check(value, len, key);
    }
    if (key_is_followed(key))
        oracle_saw(m->slot, key, id, (uint64_t)version, m->begin, m->began_ms);
    return id;
}

bool judge_gave_up(const mind *m, uint32_t keys) {
    return m->me->attempts >= READ_ATTEMPTS - 1 + keys;
}

void judge_read_bounded(const mind *m, uint32_t keys) {
    if (m->me->attempts > READ_ATTEMPTS * keys)
        world_broken("bounded", "%s of key %u took %u attempts", m->name, m->key, m->me->attempts);
}

uint64_t judge_id(const mind *m, uint32_t i) {
    return (uint64_t)(m->me->number + 1) << 32 | m->me->step_op << 8 | i;
}

void judge_note_decoy(mind *m, uint32_t key) {
    if (world.settings->crowd != CROWD_WIDE || !key_is_followed(key)) return;
    const cache *c = mind_cache(m);
    const uint64_t hash = fc_hash(key_bytes(key), KEY_LEN, c->hash_seed);
    const shard s = shard_of(c, hash);
    found entry;
    bool there;
    WITH_EYES_CLOSED(there = index_find(&s, hash, key_bytes(key), KEY_LEN, &entry));
    if (there) value_decoy(entry.value);
}
