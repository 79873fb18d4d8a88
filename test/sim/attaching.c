/* SPDX-License-Identifier: MIT
 *
 * attaching.c: coming, going, and removing the segment; see kinds.h.
 */
#include "judge.h"
#include "kinds.h"
#include "shard.h"
#include "system.h"
#include "trace.h"

#define NAME "sim"
#define FILLER_ID 1u
#define CHURN_LEN 50000u
/* Entries with which an extent of buckets has as many as the policy wants, or almost. */
#define BORDER_LRU 268u
#define BORDER_S3FIFO 188u

static bool open_may_fail(int32_t status, uint32_t create) {
    if (status == FC_NO_SPACE)
        return world.settings->no_memory_gap != 0 || world.settings->destroys;
    if (status == FC_EXISTS) return create == FC_CREATE_EXCLUSIVE;
    if (status == FC_NOT_FOUND) return create == FC_ATTACH || world.settings->destroys;
    return status == FC_BUSY;
}

bool mind_open(mind *m, uint32_t create) {
    const fc_options options = {.struct_size = sizeof options,
                                .kind = FC_KIND_SHM,
                                .create = create,
                                .shards = world.settings->shards,
                                .eviction = world.settings->eviction,
                                .lock_wait_ms = world.settings->lock_wait_ms,
                                .size_bytes = world.settings->size_bytes,
                                .max_entries = world.settings->max_entries};
    fc_report report;
    m->name = "open";
    trace_say("open");
    const int32_t status = fc_open(&options, NAME, sizeof NAME - 1, &report);
    trace_say("open: %d", status);
    if (status != FC_OK) {
        if (!open_may_fail(status, create))
            world_broken("status", "open gave %d: %s", status, report.message);
        return false;
    }
    m->c.handle = report.handle;
    cache *c = (cache *)mind_cache(m);
    c->unlocks_until_walk = WALK_NEVER; /* the walker has its own operation */
    m->slot = system_slot_of(c->base);
    call_bind(&m->c);
    if (report.created) op_fill(m);
    return true;
}

static void fill_one(mind *m, uint32_t key, uint32_t len) {
    uint8_t *value = m->c.request + FC_IO_VALUE;
    value_make(value, len, FILLER_ID, key);
    WITH_EYES_CLOSED((void)fc_set(m->c.handle, key_bytes(key), KEY_LEN, value, len, FC_TYPE_BYTES,
                                  FC_SET, 0, 0));
}

/* Stores the fillers, at once: what they make happen is the others' to see. A wide index gets all of
 * them, or so many that it is about to need a second extent. All other extents are then opened anew,
 * so that the index's are the next to be reused once they are free, and hold data where it grows.
 * Where it is littered, each filler is large first: that is what fills the extents. */
void op_fill(mind *m) {
    const cache *c = mind_cache(m);
    const settings *s = world.settings;
    if (s->fillers == 0) return;
    for (uint32_t i = 0; i < s->shards; i++)
        if (shard_at(c, i).header->lock != 0) return;
    trace_say("fill");
    const uint32_t border = s->eviction == FC_EVICTION_LRU ? BORDER_LRU : BORDER_S3FIFO;
    const bool all = s->crowd != CROWD_WIDE || mind_below(m, 4) != 0;
    for (uint32_t i = 0; i < (all ? s->fillers : border); i++) {
        if (s->littered) fill_one(m, FILLER_FIRST + i, (uint32_t)s->size_bytes / FILLERS_MAX);
        fill_one(m, FILLER_FIRST + i, s->filler_len);
    }
    const uint64_t churn = s->crowd == CROWD_WIDE ? s->size_bytes / CHURN_LEN + 1 : 0;
    for (uint64_t i = 0; i < churn; i++) fill_one(m, FILLER_FIRST, CHURN_LEN);
    fill_one(m, FILLER_FIRST, s->filler_len);
}

void op_reopen(mind *m) {
    if (!m->c.handle || mind_below(m, 4)) return;
    trace_say("close");
    const uint32_t handle = m->c.handle;
    m->c.handle = 0;
    if (fc_close(handle) != FC_OK) world_broken("status", "close failed");
}

void op_destroy(mind *m) {
    if (!world.settings->destroys || mind_below(m, 4)) return;
    fc_report report;
    m->name = "destroy";
    trace_say("destroy");
    const int32_t status = fc_destroy(FC_KIND_SHM, NAME, sizeof NAME - 1, &report);
    if (status != FC_OK && status != FC_NOT_FOUND && status != FC_NO_SPACE && status != FC_BUSY)
        world_broken("status", "destroy gave %d: %s", status, report.message);
}
