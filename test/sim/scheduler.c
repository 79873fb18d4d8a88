/* SPDX-License-Identifier: MIT
 *
 * scheduler.c: see scheduler.h.
 */
#include "scheduler.h"

#include <stdlib.h>
#include <string.h>

#include "trace.h"

#define QUIET_MAX 100000
#define EPOCH_STEPS 6000u
/* Between the change points of PCT, in steps between the switches of a random walk. */
#define CHANGE_GAP 12u
/* A death that wants a store, or a stop that wants a reader, waits for it so many steps. */
#define PATIENCE 300u
#define STOP_STEPS_MIN 50u
#define STOP_DOUBLINGS 11u
#define LEAP_US_MIN 100u
#define LEAP_DOUBLINGS 24u

/* A process' part of a script: where its decisions are, in order. */
typedef struct part {
    uint32_t *at;
    uint32_t count, done;
} part;

static struct {
    const settings *settings;
    const script *replay;
    script *record;
    part *parts[2]; /* of the replay: decisions in front of steps, and DECIDED_NEXT */
    uint64_t random;
    bool by_priority, look_again;
    bool kill_wants_store;
    uint32_t stop_wants; /* 0: anything; a reader's 1: load, 2: copy */
    uint32_t lowest;
    uint64_t epoch_at, switch_at, kill_at, stop_at, leap_at, wake_at; /* steps of the world */
} s;

/* ------------------------------------------------------------------ replay */

static void parts_free(void) {
    for (int i = 0; i < 2; i++) {
        for (uint32_t p = 0; s.parts[i] && p <= s.settings->processes; p++) free(s.parts[i][p].at);
        free(s.parts[i]);
        s.parts[i] = NULL;
    }
}

static void parts_make(const script *replay) {
    const uint32_t processes = replay->processes + 1;
    for (int i = 0; i < 2; i++) {
        s.parts[i] = calloc(processes, sizeof(part));
        for (int filling = 0; filling < 2; filling++) {
            for (size_t d = 0; d < replay->count; d++) {
                const decision *made = &replay->decisions[d];
                if (made->left_out || (made->kind == DECIDED_NEXT) != (i == 1)) continue;
                part *of = &s.parts[i][made->process];
                if (filling) of->at[of->done] = (uint32_t)d;
                if (filling)
                    of->done++;
                else
                    of->count++;
            }
            for (uint32_t p = 0; p < processes; p++) {
                part *of = &s.parts[i][p];
                of->done = 0;
                if (!filling) of->at = calloc(of->count + 1, sizeof *of->at);
            }
        }
    }
}

/* The next decision of that process, from where it stands on; those that it has passed are gone. */
static const decision *coming(const process *p, int which) {
    if (!s.parts[which] || p->number > s.replay->processes) return NULL;
    part *of = &s.parts[which][p->number];
    for (; of->done < of->count; of->done++) {
        const decision *d = &s.replay->decisions[of->at[of->done]];
        if (d->operation > p->step_op) return d;
        if (d->operation == p->step_op && d->step >= p->step) return d;
    }
    return NULL;
}

static const decision *due(const process *p, int which) {
    const decision *d = coming(p, which);
    if (!d || d->operation != p->step_op || d->step != p->step) return NULL;
    s.parts[which][p->number].done++;
    return d;
}

bool scheduler_wants(uint32_t number) {
    return !s.replay || number >= s.replay->processes || !s.replay->process_left_out[number];
}
bool scheduler_wants_operation(uint32_t number, uint32_t operation) {
    const script *r = s.replay;
    if (!r || number >= r->processes || operation >= r->operations) return true;
    return !r->operation_left_out[(size_t)number * r->operations + operation];
}

/* ------------------------------------------------------------------ chance */

static uint64_t soon(uint32_t gap) {
    if (gap == 0) return UINT64_MAX;
    return world.steps + 1 + random_below(&s.random, 2 * (uint64_t)gap);
}

static uint64_t amount(uint64_t least, uint32_t doublings) {
    const uint64_t most = least << random_below(&s.random, doublings + 1);
    return least + random_below(&s.random, most);
}

static uint32_t switch_gap(void) {
    return s.by_priority ? CHANGE_GAP * s.settings->switch_gap : s.settings->switch_gap;
}

static void epoch_begin(void) {
    s.by_priority = random_below(&s.random, 2);
    s.epoch_at = soon(EPOCH_STEPS);
    s.switch_at = soon(switch_gap());
    s.lowest = 1u << 30;
    for (uint32_t i = 0; i < PLACES; i++)
        world.places[i].priority = scheduler_priority(&world.places[i]);
}

uint32_t scheduler_priority(const process *newborn) {
    (void)newborn;
    return (1u << 30) + (uint32_t)random_below(&s.random, 1u << 30);
}

void scheduler_begin(const settings *settings, const script *replay, script *record) {
    parts_free();
    memset(&s, 0, sizeof s);
    s.settings = settings;
    s.replay = replay;
    s.record = record;
    s.random = random_of(settings->seed, 2, 2);
    if (replay) parts_make(replay);
}

static void draw_first(void) {
    s.kill_at = soon(s.settings->kill_gap);
    s.stop_at = soon(s.settings->stop_gap);
    s.leap_at = soon(s.settings->leap_gap);
    s.wake_at = soon(s.settings->wake_gap);
}

static process *any_that(bool (*fits)(const process *)) {
    const uint32_t first = (uint32_t)random_below(&s.random, PLACES);
    for (uint32_t i = 0; i < PLACES; i++) {
        process *p = &world.places[(first + i) % PLACES];
        if (fits(p)) return p;
    }
    return NULL;
}

static process *highest(void) {
    process *best = NULL;
    for (uint32_t i = 0; i < PLACES; i++) {
        process *p = &world.places[i];
        if (world_may_run(p) && (!best || p->priority > best->priority)) best = p;
    }
    return best;
}

static process *choose(void) { return s.by_priority ? highest() : any_that(world_may_run); }

static process *lowest_number(void) {
    process *best = NULL;
    for (uint32_t i = 0; i < PLACES; i++) {
        process *p = &world.places[i];
        if (world_may_run(p) && (!best || p->number < best->number)) best = p;
    }
    return best;
}

static bool is_there(const process *p) { return p->state != STATE_NONE; }
static bool waits(const process *p) { return p->state == STATE_WAITING; }

/* ---------------------------------------------------------------- decisions */

static void apply(const decision *d) {
    process *target = world_find(d->target);
    trace_decision(d);
    switch (d->kind) {
    case DECIDED_SWITCH:
        if (target && world_may_run(target)) world_switch(target);
        break;
    case DECIDED_KILL:
        if (target) world_kill(target, d->amount);
        break;
    case DECIDED_STOP:
        if (target) world_stop(target, world_now_us() + d->amount);
        break;
    case DECIDED_LEAP:
        world.leapt_us += d->amount;
        break;
    case DECIDED_WAKE:
        if (target && target->state == STATE_WAITING) target->state = STATE_READY_TO_RUN;
        break;
    default:
        break;
    }
}

static decision here(const process *p, enum decision_kind kind, uint32_t target, uint64_t much) {
    return (decision){.process = p->number,
                      .operation = p->step_op,
                      .step = p->step,
                      .target = target,
                      .kind = (uint8_t)kind,
                      .amount = much};
}

static void decide(enum decision_kind kind, const process *target, uint64_t much) {
    const decision d = here(world.current, kind, target ? target->number : NOBODY, much);
    if (s.record) script_add(s.record, &d);
    apply(&d);
}

static process *victim(void) {
    return random_below(&s.random, 4) ? world.current : any_that(is_there);
}

static bool stop_fits(const process *p, enum sim_access access) {
    if (s.stop_wants == 0) return true;
    return s.stop_wants == 1 ? access == SIM_LOAD && p->attempts > 0 : access == SIM_COPY_FROM;
}

static void decide_by_chance(enum sim_access access) {
    process *me = world.current;
    if (s.epoch_at == 0) draw_first();
    if (world.steps >= s.epoch_at) epoch_begin();
    if (world.steps >= s.leap_at) {
        s.leap_at = soon(s.settings->leap_gap);
        decide(DECIDED_LEAP, NULL, amount(LEAP_US_MIN, LEAP_DOUBLINGS));
    }
    if (world.steps >= s.wake_at) {
        s.wake_at = soon(s.settings->wake_gap);
        const process *sleeper = any_that(waits);
        if (sleeper) decide(DECIDED_WAKE, sleeper, 0);
    }
    const bool stores = access == SIM_STORE || access == SIM_SWAP || access == SIM_COPY_TO;
    if (world.steps >= s.kill_at &&
        (!s.kill_wants_store || stores || world.steps > s.kill_at + PATIENCE)) {
        s.kill_at = soon(s.settings->kill_gap);
        s.kill_wants_store = random_below(&s.random, 2);
        const uint64_t unlock_us = random_below(&s.random, (uint64_t)s.settings->unlock_us_max + 1);
        decide(DECIDED_KILL, victim(), random_below(&s.random, 2) ? 0 : unlock_us);
    }
    if (world.steps >= s.stop_at && (stop_fits(me, access) || world.steps > s.stop_at + PATIENCE)) {
        s.stop_at = soon(s.settings->stop_gap);
        s.stop_wants = (uint32_t)random_below(&s.random, 4) % 3;
        if (s.settings->crowd == CROWD_WIDE && s.stop_wants == 0) s.stop_wants = 1;
        const uint64_t stop_steps = amount(STOP_STEPS_MIN, STOP_DOUBLINGS);
        decide(DECIDED_STOP, victim(), stop_steps * s.settings->step_ns / 1000);
    }
    if (world.steps >= s.switch_at || s.look_again) {
        if (world.steps >= s.switch_at) {
            s.switch_at = soon(switch_gap());
            me->priority = s.lowest--;
        }
        s.look_again = false;
        const process *to = choose();
        if (to && to != me) decide(DECIDED_SWITCH, to, 0);
    }
}

void scheduler_decide(enum sim_access access) {
    if (world.winding_down) return;
    if (!s.replay) {
        decide_by_chance(access);
        return;
    }
    const decision *d;
    while ((d = due(world.current, 0)) != NULL) apply(d);
}

static uint64_t min_of(uint64_t a, uint64_t b) { return a < b ? a : b; }

int64_t scheduler_quiet_steps(void) {
    if (trace_is_on()) return 1;
    if (world.winding_down) return QUIET_MAX;
    if (s.replay) {
        const process *me = world.current;
        const decision *d = coming(me, 0);
        if (!d || d->operation != me->step_op) return QUIET_MAX;
        return (int64_t)min_of(d->step - me->step + (d->step == me->step), QUIET_MAX);
    }
    if (s.look_again) return 1;
    uint64_t at = min_of(min_of(s.switch_at, s.kill_at), min_of(s.stop_at, s.leap_at));
    at = min_of(min_of(at, s.wake_at), s.epoch_at);
    return at > world.steps ? (int64_t)min_of(at - world.steps, QUIET_MAX) : 1;
}

process *scheduler_next(process *leaving) {
    if (s.replay || !leaving || world.winding_down) {
        const decision *d = leaving && s.replay ? due(leaving, 1) : NULL;
        process *target = d ? world_find(d->target) : NULL;
        return target && world_may_run(target) ? target : lowest_number();
    }
    process *to = choose();
    if (to && s.record) {
        const decision d = here(leaving, DECIDED_NEXT, to->number, 0);
        script_add(s.record, &d);
    }
    return to;
}

void scheduler_woken(void) { s.look_again = s.by_priority; }
