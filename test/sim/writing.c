/* SPDX-License-Identifier: MIT
 *
 * writing.c: the operations that change entries; see kinds.h.
 */
#include <string.h>

#include "check.h"
#include "judge.h"
#include "kinds.h"
#include "leases.h"
#include "trace.h"

static due due_of(double ttl_ms) {
    if (ttl_ms <= 0) return (due){NEVER, NEVER};
    return (due){world_now_us() / 1000 + (uint64_t)ttl_ms, NEVER};
}
static due due_known(due d, double ttl_ms) {
    if (ttl_ms > 0) d.most_ms = world_now_us() / 1000 + (uint64_t)ttl_ms;
    return d;
}

static void will_store(mind *m, uint32_t i, uint32_t key, due deadline) {
    m->keys[i] = key;
    m->ids[i] = judge_id(m, i);
    m->dues[i] = deadline;
    m->count = i + 1;
    if (key_is_followed(key)) {
        oracle_stores(m->slot, key, m->ids[i], deadline);
        leases_change_begins(m->slot, key);
    }
    m->pending = PENDING_STORE;
}
static void has_stored(mind *m, uint32_t i, bool done, double ttl_ms) {
    if (!key_is_followed(m->keys[i])) return;
    leases_change_ended(m->slot, m->keys[i], m->begin, done ? CHANGE_DONE : CHANGE_NONE);
    oracle_stored(m->slot, m->keys[i], m->ids[i], m->begin, done, due_known(m->dues[i], ttl_ms));
}

void store_begins(mind *m, uint32_t key, double ttl_ms) { will_store(m, 0, key, due_of(ttl_ms)); }
void store_ended(mind *m, bool done, double ttl_ms) {
    m->pending = PENDING_NOTHING;
    has_stored(m, 0, done, ttl_ms);
}

static void set(mind *m, uint32_t key, uint32_t mode, double version) {
    const double ttl_ms = mind_ttl_ms(m);
    const uint32_t len = mind_length(m);
    static const char *const names[] = {"set", "add", "replace", "compare-and-set"};
    judge_begin(m, names[mode], key);
    will_store(m, 0, key, due_of(ttl_ms));
    value_make(m->c.request + FC_IO_VALUE, len, m->ids[0], key);
    trace_say("%s key %u = %llx, %u bytes, ttl %.0f ms", m->name, key,
              (unsigned long long)m->ids[0], len, ttl_ms);
    const int32_t status = call_set(&m->c, key, len, mode, ttl_ms, version);
    trace_say("%s key %u: %d", m->name, key, status);
    m->pending = PENDING_NOTHING;
    if (status == FC_BUSY) judge_refused(m);
    has_stored(m, 0, status == FC_OK, ttl_ms);
    if (status == FC_OK && mode == FC_SET_IF_ABSENT)
        judge_missed(m, key, false);
    else if (status == FC_OK && mode == FC_SET_IF_PRESENT)
        judge_was_there(m, key);
    else if (status == FC_OK && mode == FC_SET_IF_VERSION && key_is_followed(key))
        oracle_replaced(m->slot, key, m->seen_id, m->begin);
    else if (status == FC_MISS && mode == FC_SET_IF_ABSENT)
        judge_was_there(m, key);
    else if (status == FC_MISS && mode == FC_SET_IF_PRESENT)
        judge_missed(m, key, false);
    else if (status != FC_OK && status != FC_BUSY && !(status == FC_MISS && mode))
        judge_unexpected(m, status);
    if (status == FC_OK) judge_note_decoy(m, key);
}

void op_set(mind *m) { set(m, mind_value_key(m), FC_SET, 0); }
void op_add(mind *m) { set(m, mind_value_key(m), FC_SET_IF_ABSENT, 0); }
void op_replace(mind *m) { set(m, mind_value_key(m), FC_SET_IF_PRESENT, 0); }
void op_compare_and_set(mind *m) {
    if (m->seen_id == 0 || m->seen_slot != m->slot || key_is_number(m->seen_key)) return;
    set(m, m->seen_key, FC_SET_IF_VERSION, m->seen_version);
}

void op_set_many(mind *m) {
    uint8_t *at = m->c.request + FC_IO_VALUE;
    const uint32_t count = 2 + (uint32_t)mind_below(m, BATCH_MAX - 1);
    double ttls[BATCH_MAX];
    uint32_t keys[BATCH_MAX];
    keys[0] = mind_value_key(m);
    for (uint32_t i = 1; i < count; i++) keys[i] = mind_batch_key(m, keys[0], i);
    judge_begin(m, "set of many", keys[0]);
    for (uint32_t i = 0; i < count; i++) {
        ttls[i] = mind_ttl_ms(m);
        uint32_t len = mind_length(m);
        if (len > VALUE_BYTES_MAX / BATCH_MAX - 64) len = VALUE_LEN_MIN;
        will_store(m, i, keys[i], due_of(ttls[i]));
        uint8_t *tags = at + round_up(sizeof(fc_packed_entry) + KEY_LEN + len, 8);
        const uint32_t tags_len = key_tags(keys[i], tags);
        const fc_packed_entry header = {.key_len = KEY_LEN,
                                        .value_len = len,
                                        .type = FC_TYPE_BYTES,
                                        .flags = tags_len ? FC_TAGGED : 0,
                                        .ttl_ms = ttls[i]};
        memcpy(at, &header, sizeof header);
        memcpy(at + sizeof header, key_bytes(keys[i]), KEY_LEN);
        value_make(at + sizeof header + KEY_LEN, len, m->ids[i], keys[i]);
        at += round_up(sizeof header + KEY_LEN + len, FC_PACKED_ENTRY_UNIT);
        at += round_up(tags_len, FC_PACKED_ENTRY_UNIT);
    }
    trace_say("set of many keys, first %u", keys[0]);
    uint32_t done;
    const int32_t status =
        call_set_many(&m->c, count, (uint32_t)(at - m->c.request - FC_IO_VALUE), &done);
    m->pending = PENDING_NOTHING;
    if (status != FC_OK && status != FC_BUSY) judge_unexpected(m, status);
    for (uint32_t i = 0; i < count; i++) has_stored(m, i, i < done, ttls[i]);
}

static void will_remove(mind *m, uint32_t count) {
    m->count = count;
    for (uint32_t i = 0; i < count; i++)
        if (key_is_followed(m->keys[i])) {
            oracle_removes(m->slot, m->keys[i]);
            leases_change_begins(m->slot, m->keys[i]);
        }
    m->pending = PENDING_REMOVE;
}
static void has_removed(mind *m, uint32_t i, bool gone) {
    if (!key_is_followed(m->keys[i])) return;
    oracle_removed(m->slot, m->keys[i], m->begin, gone);
    leases_change_ended(m->slot, m->keys[i], m->begin, gone ? CHANGE_DONE : CHANGE_PERHAPS);
}

void op_delete(mind *m) {
    m->keys[0] = mind_key(m);
    judge_begin(m, "delete", m->keys[0]);
    will_remove(m, 1);
    trace_say("delete key %u", m->keys[0]);
    const int32_t status = call_delete(&m->c, m->keys[0]);
    trace_say("delete key %u: %d", m->keys[0], status);
    m->pending = PENDING_NOTHING;
    if (status == FC_BUSY) judge_refused(m);
    if (status != FC_OK && status != FC_MISS && status != FC_BUSY) judge_unexpected(m, status);
    if (status == FC_OK) judge_was_there(m, m->keys[0]);
    has_removed(m, 0, status != FC_BUSY);
}

void op_delete_many(mind *m) {
    uint8_t *at = m->c.request + FC_IO_VALUE;
    const uint32_t count = 2 + (uint32_t)mind_below(m, BATCH_MAX - 1);
    for (uint32_t i = 0; i < count; i++) {
        m->keys[i] = i == 0 ? mind_key(m) : mind_batch_key(m, m->keys[0], i);
        const fc_packed_key header = {KEY_LEN};
        memcpy(at, &header, sizeof header);
        memcpy(at + sizeof header, key_bytes(m->keys[i]), KEY_LEN);
        at += sizeof header + KEY_LEN;
    }
    judge_begin(m, "delete of many", m->keys[0]);
    will_remove(m, count);
    trace_say("delete of many keys, first %u", m->keys[0]);
    uint32_t done, removed;
    const int32_t status = call_delete_many(
        &m->c, count, (uint32_t)(at - m->c.request - FC_IO_VALUE), &done, &removed);
    m->pending = PENDING_NOTHING;
    if (status != FC_OK && status != FC_BUSY) judge_unexpected(m, status);
    for (uint32_t i = 0; i < count; i++) has_removed(m, i, i < done);
}

/* What was stored with the tag before is gone; what is stored meanwhile may be. */
void op_delete_by_tag(mind *m) {
    const uint32_t tag = (uint32_t)mind_below(m, TAGS);
    uint32_t count = 0;
    for (uint32_t key = 0; key < world.settings->keys; key++)
        if (key_has_tag(key, tag)) m->keys[count++] = key;
    judge_begin(m, "delete by tag", tag);
    will_remove(m, count);
    m->pending = PENDING_INVALIDATE;
    trace_say("delete by tag %u", tag);
    const int32_t status = call_delete_by_tag(&m->c, tag);
    trace_say("delete by tag %u: %d", tag, status);
    m->pending = PENDING_NOTHING;
    if (status != FC_OK) judge_unexpected(m, status);
    for (uint32_t i = 0; i < count; i++)
        oracle_invalidated(m->slot, m->keys[i], m->begin, status == FC_OK);
}

void op_clear(mind *m) {
    if (world.settings->crowd != CROWD_WIDE && mind_below(m, 8)) return;
    for (uint32_t i = 0; i < world.settings->keys; i++) m->keys[i] = i;
    judge_begin(m, "clear", 0);
    will_remove(m, world.settings->keys);
    trace_say("clear");
    const int32_t status = fc_clear(m->c.handle);
    trace_say("clear: %d", status);
    m->pending = PENDING_NOTHING;
    if (status != FC_OK && status != FC_BUSY) judge_unexpected(m, status);
    for (uint32_t i = 0; i < world.settings->keys; i++) has_removed(m, i, status == FC_OK);
}

void op_touch(mind *m) {
    const uint32_t key = mind_value_key(m);
    const double ttl_ms = mind_ttl_ms(m);
    m->keys[0] = key;
    m->dues[0] = due_of(ttl_ms);
    m->count = 1;
    judge_begin(m, "touch", key);
    if (key_is_followed(key)) oracle_touches(m->slot, key, m->dues[0]);
    m->pending = PENDING_TOUCH;
    trace_say("touch key %u, ttl %.0f ms", key, ttl_ms);
    const int32_t status = call_touch(&m->c, key, ttl_ms);
    trace_say("touch key %u: %d", key, status);
    m->pending = PENDING_NOTHING;
    if (key_is_followed(key)) oracle_touched(m->slot, key, m->dues[0]);
    if (status == FC_BUSY) judge_refused(m);
    if (status == FC_OK)
        judge_was_there(m, key);
    else if (status == FC_MISS)
        judge_missed(m, key, false);
    else if (status != FC_BUSY)
        judge_unexpected(m, status);
}

void op_increment(mind *m) {
    const uint32_t key = (uint32_t)mind_below(m, world.settings->keys) | 3;
    if (!key_is_number(key)) return;
    const double initial = (double)(((uint64_t)(m->me->number + 1) << 16 | m->me->step_op) << 10);
    double sum;
    m->keys[0] = key;
    m->count = 1;
    judge_begin(m, "increment", key);
    oracle_adds(m->slot, key);
    m->pending = PENDING_ADD;
    trace_say("increment key %u", key);
    const int32_t status = call_increment(&m->c, key, 1, initial, &sum);
    trace_say("increment key %u: %d, %.0f", key, status, sum);
    m->pending = PENDING_NOTHING;
    if (status == FC_BUSY) judge_refused(m);
    if (status != FC_OK && status != FC_BUSY) judge_unexpected(m, status);
    const bool first = status == FC_OK && sum == initial + 1;
    oracle_added(m->slot, key, status == FC_OK ? judge_number(sum) : 0,
                 first || status != FC_OK ? 0 : judge_number(sum - 1), m->begin, status == FC_OK);
    if (first) judge_missed(m, key, false);
}
