/* SPDX-License-Identifier: MIT
 *
 * operations.c: see operations.h.
 */
#include "operations.h"

#include "audit.h"
#include "handle.h"
#include "kinds.h"
#include "leases.h"
#include "scheduler.h"

#define TIDE_SHIFT 14 /* in steps of the world */
#define READ_STEPS_MAX 60000u
#define WALK_STEPS_MAX 4000000u
#define WRITE_STEPS_MAX 4000000u

static mind minds[PLACES];
static const settings *now;
static uint64_t finished;

uint64_t operations_count(void) { return finished; }

void operations_begin(const settings *s) {
    now = s;
    values_begin(s);
    oracle_begin(s);
    leases_begin();
}

/* Handles of those who were alive at the end; their memory goes with the system. */
void operations_end(void) {
    for (uint32_t i = 0; i < PLACES; i++) {
        if (minds[i].c.handle) (void)handle_remove(minds[i].c.handle);
        minds[i].c.handle = 0;
    }
}

static mind *mind_of(const process *p) { return &minds[p - world.places]; }

void operations_prepare(process *p) {
    mind *m = mind_of(p);
    m->c.handle = 0;
    m->me = p;
    m->pending = PENDING_NOTHING;
    m->seen_id = 0;
}

void operations_bury(process *p) {
    mind *m = mind_of(p);
    for (uint32_t i = 0; i < m->count && m->pending != PENDING_NOTHING; i++) {
        if (!key_is_followed(m->keys[i])) continue;
        leases_change_ended(m->slot, m->keys[i], m->begin, CHANGE_PERHAPS);
        switch (m->pending) {
        case PENDING_STORE:
            oracle_store_died(m->slot, m->keys[i], m->ids[i]);
            break;
        case PENDING_ADD:
            oracle_add_died(m->slot, m->keys[i]);
            break;
        case PENDING_REMOVE:
            oracle_removed(m->slot, m->keys[i], m->begin, false);
            break;
        case PENDING_INVALIDATE:
            oracle_invalidated(m->slot, m->keys[i], m->begin, false);
            break;
        default:
            oracle_touched(m->slot, m->keys[i], m->dues[i]);
            break;
        }
    }
    m->pending = PENDING_NOTHING;
    if (m->c.handle) (void)handle_remove(m->c.handle);
    m->c.handle = 0;
}

/* ------------------------------------------------------------------ the life */

static const struct {
    void (*run)(mind *m);
    uint32_t weight;
    uint32_t step_max;
} table[] = {
    {op_get, 22, READ_STEPS_MAX},          {op_has, 4, READ_STEPS_MAX},
    {op_get_many, 4, 4 * READ_STEPS_MAX},  {op_iterate, 2, WALK_STEPS_MAX},
    {op_stats, 2, WRITE_STEPS_MAX},        {op_verify, 1, WRITE_STEPS_MAX},
    {op_set, 22, WRITE_STEPS_MAX},         {op_add, 6, WRITE_STEPS_MAX},
    {op_replace, 4, WRITE_STEPS_MAX},      {op_compare_and_set, 4, WRITE_STEPS_MAX},
    {op_set_many, 4, WRITE_STEPS_MAX},     {op_delete, 8, WRITE_STEPS_MAX},
    {op_delete_many, 2, WRITE_STEPS_MAX},  {op_clear, 4, WRITE_STEPS_MAX},
    {op_touch, 6, WRITE_STEPS_MAX},        {op_increment, 8, WRITE_STEPS_MAX},
    {op_compute, 10, WRITE_STEPS_MAX},     {op_fill, 4, WRITE_STEPS_MAX},
    {op_delete_by_tag, 4, READ_STEPS_MAX}, {op_reopen, 2, WRITE_STEPS_MAX},
    {op_destroy, 1, WRITE_STEPS_MAX},
};
#define KINDS (sizeof table / sizeof *table)

static size_t place_of(void (*run)(mind *m)) {
    size_t i = 0;
    while (table[i].run != run) i++;
    return i;
}

/* The tide turns: more is stored than usual, then most of it goes again; the index grows and
 * shrinks. */
static size_t with_the_tide(mind *m, size_t kind) {
    const uint64_t tide = (world.steps >> TIDE_SHIFT) % 3;
    if (now->crowd != CROWD_FEW) return kind;
    if (tide == 1 && table[kind].run == op_get && mind_below(m, 2)) return place_of(op_set_many);
    if (tide == 2 && table[kind].run == op_set) return place_of(op_delete_many);
    return kind;
}

static size_t kind_chosen(mind *m) {
    uint32_t all = 0;
    for (size_t i = 0; i < KINDS; i++) all += table[i].weight;
    uint64_t at = mind_below(m, all);
    size_t i = 0;
    for (; at >= table[i].weight; i++) at -= table[i].weight;
    return with_the_tide(m, i);
}

static uint32_t create_chosen(mind *m) {
    const uint64_t kind = mind_below(m, 10);
    return kind == 0 ? FC_ATTACH : kind == 1 ? FC_CREATE_EXCLUSIVE : FC_CREATE_OR_ATTACH;
}

void operations_live(process *me) {
    mind *m = mind_of(me);
    if (me->number == now->processes) {
        audit(m);
        return;
    }
    for (uint32_t i = 0; i < now->operations; i++) {
        if (!scheduler_wants_operation(me->number, i)) continue;
        me->random = random_of(now->seed, me->number, i + 16);
        m->c.by_io = mind_below(m, 2);
        if (!m->c.handle) {
            world_begin_operation(2 * i, WRITE_STEPS_MAX);
            if (!mind_open(m, create_chosen(m))) continue;
        }
        const size_t kind = kind_chosen(m);
        world_begin_operation(2 * i + 1, table[kind].step_max);
        table[kind].run(m);
        finished++;
    }
    if (mind_below(m, 2) == 0) op_reopen(m);
}
