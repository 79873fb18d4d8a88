/* SPDX-License-Identifier: MIT
 *
 * reading.c: the operations that take no lock, or only look; see kinds.h.
 */
#include <string.h>

#include "check.h"
#include "judge.h"
#include "kinds.h"
#include "trace.h"

/* So often iterate.c looks at one interval before it goes on without what it cannot read. */
#define INTERVAL_ATTEMPTS 64u

void op_get(mind *m) {
    const uint32_t key = mind_key(m);
    const bool peek = mind_below(m, 4) == 0;
    const uint32_t capacity = mind_below(m, 8) ? VALUE_BYTES_MAX : 16;
    double version;
    judge_begin(m, "get", key);
    trace_say("get key %u", key);
    const int32_t status = call_get(&m->c, key, capacity, peek, &version);
    trace_say("get key %u: %d", key, status);
    judge_read_bounded(m, 1);
    if (status == FC_MISS) {
        judge_missed(m, key, judge_gave_up(m, 1));
    } else if (status == FC_BUFFER_TOO_SMALL && capacity < VALUE_BYTES_MAX) {
        judge_was_there(m, key);
    } else if (status >= 0) {
        const uint64_t id = judge_saw(m, key, m->c.response, (uint32_t)status, version);
        m->seen_key = key;
        m->seen_id = id;
        m->seen_slot = m->slot;
        m->seen_version = version;
    } else {
        judge_unexpected(m, status);
    }
}

void op_has(mind *m) {
    const uint32_t key = mind_key(m);
    double ttl_ms = 0;
    judge_begin(m, "has", key);
    trace_say("has key %u", key);
    const int32_t status = mind_below(m, 2) ? call_has(&m->c, key) : call_ttl(&m->c, key, &ttl_ms);
    judge_read_bounded(m, 1);
    if (status == FC_MISS)
        judge_missed(m, key, judge_gave_up(m, 1));
    else if (status == FC_OK)
        judge_was_there(m, key);
    else
        judge_unexpected(m, status);
}

void op_get_many(mind *m) {
    uint8_t *at = m->c.request + FC_IO_VALUE;
    const uint32_t count = 2 + (uint32_t)mind_below(m, BATCH_MAX - 1);
    for (uint32_t i = 0; i < count; i++) {
        m->keys[i] = mind_key(m);
        const fc_packed_key header = {KEY_LEN};
        memcpy(at, &header, sizeof header);
        memcpy(at + sizeof header, key_bytes(m->keys[i]), KEY_LEN);
        at += sizeof header + KEY_LEN;
    }
    judge_begin(m, "get of many", m->keys[0]);
    trace_say("get of many keys, first %u", m->keys[0]);
    const int32_t answered =
        call_get_many(&m->c, count, (uint32_t)(at - m->c.request - FC_IO_VALUE));
    judge_read_bounded(m, count);
    if (answered == FC_BUFFER_TOO_SMALL) return;
    if (answered < 1 || answered > (int32_t)count) judge_unexpected(m, answered);
    const uint8_t *answer = m->c.response;
    for (int32_t i = 0; i < answered; i++) {
        fc_packed_answer header;
        memcpy(&header, answer, sizeof header);
        answer += sizeof header;
        if (header.length == FC_MISS) {
            judge_missed(m, m->keys[i], judge_gave_up(m, count));
        } else if (header.length >= 0) {
            (void)judge_saw(m, m->keys[i], answer, (uint32_t)header.length, header.version);
            answer += round_up((uint32_t)header.length, FC_PACKED_ANSWER_UNIT);
        } else {
            judge_unexpected(m, header.length);
        }
    }
}

void op_iterate(mind *m) {
    uint32_t seen[ORACLE_KEYS_MAX] = {0};
    fc_cursor cursor = {{0}};
    uint32_t used;
    bool excused = false;
    judge_begin(m, "iteration", 0);
    trace_say("iterate");
    for (int32_t keys = 0; keys != FC_MISS;) {
        m->me->attempts = 0;
        keys = fc_iterate(m->c.handle, &cursor, m->c.response, RESPONSE_BYTES, &used);
        if (m->me->attempts >= INTERVAL_ATTEMPTS) excused = true; /* of one, maybe */
        if (keys < 0 && keys != FC_MISS) judge_unexpected(m, keys);
        for (uint32_t at = 0; at < used; at += sizeof(fc_packed_key) + KEY_LEN) {
            fc_packed_key header;
            memcpy(&header, m->c.response + at, sizeof header);
            const uint32_t key = key_number(m->c.response + at + sizeof header, header.key_len);
            if (key == NOBODY)
                world_broken("torn", "an iteration met a key that nobody stored: %u bytes, %.16s",
                             header.key_len, m->c.response + at + sizeof header);
            if (key_is_followed(key)) seen[key]++;
        }
    }
    for (uint32_t key = 0; key < world.settings->keys && !excused; key++)
        if (seen[key] != 1 && oracle_must_be_there(m->slot, key, m->begin))
            world_broken("iteration",
                         "an iteration met key %u %u times, which was there throughout", key,
                         seen[key]);
}

void op_stats(mind *m) {
    fc_stats_fields stats;
    fc_info_fields info;
    double entries;
    judge_begin(m, "stats", 0);
    trace_say("stats");
    const int32_t status =
        mind_below(m, 2) ? fc_stats(m->c.handle, &stats) : fc_size(m->c.handle, &entries);
    if (status != FC_OK) judge_unexpected(m, status);
    if (fc_list((char *)m->c.response, RESPONSE_BYTES) < 0)
        world_broken("status", "fc_list failed");
    if (fc_info(m->c.handle, &info) != FC_OK || info.shards != world.settings->shards)
        world_broken("status", "fc_info tells %llu shards", (unsigned long long)info.shards);
}

void op_verify(mind *m) {
    fc_report report;
    judge_begin(m, "verify", 0);
    trace_say("verify");
    const int32_t status = fc_verify(m->c.handle, &report);
    if (status != FC_OK && status != FC_BUSY && status != FC_NO_SPACE)
        world_broken("walker", "%s", report.message);
}
