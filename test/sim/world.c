/* SPDX-License-Identifier: MIT
 *
 * world.c: see world.h. The scheduler's own stack runs world_run: every process leaves for it, and
 * it is where the dead are buried and others are born, since nobody stands on their stacks then.
 */
#define _GNU_SOURCE
#include "world.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "hooks.h"
#include "operations.h"
#include "scheduler.h"
#include "system.h"
#include "trace.h"

#define STACK_BYTES (512u << 10)
#define BOOT_US 5000000000ull
#define SIGNAL_STACK_BYTES (64u << 10)

world_state world;
int64_t sim_countdown;

static int64_t armed; /* what sim_countdown was when its steps were last counted */
static bool eyes_closed;
static void *scheduler_at;
static process *next;
static sigjmp_buf escape;
static uint8_t stacks[PLACES][STACK_BYTES] __attribute__((aligned(64)));

/* ------------------------------------------------------------------ chance */

/* SplitMix64 (Steele, Lea, Flood). */
uint64_t random_next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}
uint64_t random_below(uint64_t *state, uint64_t limit) { return random_next(state) % limit; }
uint64_t random_of(uint64_t seed, uint64_t a, uint64_t b) {
    uint64_t state = seed ^ a * 0xd6e8feb86659fd93ull;
    state = random_next(&state) ^ b * 0xa0761d6478bd642full;
    return random_next(&state);
}

/* ------------------------------------------------------------ steps and time */

static void count_steps(void) {
    if (eyes_closed) return;
    const int64_t ran = armed - sim_countdown;
    armed = sim_countdown;
    world.steps += (uint64_t)ran;
    if (world.current) world.current->step += (uint64_t)ran;
}

int64_t world_close_eyes(void) {
    count_steps();
    const int64_t left = sim_countdown;
    armed = sim_countdown = INT64_MAX;
    eyes_closed = true;
    return left;
}
void world_open_eyes(int64_t left) {
    armed = sim_countdown = left;
    eyes_closed = false;
}

static void arm(void) { armed = sim_countdown = scheduler_quiet_steps(); }

uint64_t world_now_us(void) {
    count_steps();
    return BOOT_US + world.leapt_us + world.steps * world.settings->step_ns / 1000;
}

uint64_t world_steps_taken(void) {
    count_steps();
    return world.current->step;
}

void world_begin_operation(uint32_t number, uint64_t step_max) {
    count_steps();
    process *me = world.current;
    me->step_op = number;
    me->step = 0;
    me->step_max = step_max;
    me->attempts = 0;
    arm();
}

void sim_pause(const char *file, int line, enum sim_access access) {
    count_steps();
    process *me = world.current;
    me->file = file;
    me->line = line;
    trace_step(me, access);
    if (me->step > me->step_max)
        world_broken("bounded", "process %u has taken %llu steps in one operation", me->number,
                     (unsigned long long)me->step);
    if (world.steps > world.ends_at) world_broken("ends", "the run does not come to an end");
    scheduler_decide(access);
    arm();
}

void world_call(const char *name) {
    if (world.current && --sim_countdown <= 0) sim_pause(name, 0, SIM_CALL);
}

/* --------------------------------------------------------------- processes */

bool world_may_run(const process *p) {
    if (p->state == STATE_NONE) return false;
    const uint64_t now_us = world_now_us();
    if (p->stopped_until_us > now_us) return false;
    return p->state == STATE_READY_TO_RUN || p->until_us <= now_us;
}

process *world_find(uint32_t number) {
    for (uint32_t i = 0; i < PLACES; i++)
        if (world.places[i].state != STATE_NONE && world.places[i].number == number)
            return &world.places[i];
    return NULL;
}

static void leave(process *me) {
    context_switch(&me->stack_at, scheduler_at);
    arm();
}

void world_switch(process *to) {
    process *me = world.current;
    if (to == me) return;
    next = to;
    leave(me);
}

void world_stop(process *p, uint64_t until_us) {
    p->stopped_until_us = until_us;
    if (p != world.current) return;
    next = scheduler_next(p);
    leave(p);
}

void world_wait(const uint32_t *word, uint64_t until_us) {
    count_steps();
    process *me = world.current;
    me->state = STATE_WAITING;
    me->word = word;
    me->until_us = until_us;
    next = scheduler_next(me);
    leave(me);
}

void world_wake_one(const uint32_t *word) {
    process *first = NULL;
    for (uint32_t i = 0; i < PLACES; i++) {
        process *p = &world.places[i];
        if (p->state != STATE_WAITING || p->word != word) continue;
        if (!first || p->until_us < first->until_us) first = p;
    }
    if (!first) return;
    first->state = STATE_READY_TO_RUN;
    scheduler_woken();
}

static void bury(process *p, uint64_t unlock_at_us) {
    operations_bury(p);
    system_bury(p->number, unlock_at_us);
    p->state = STATE_NONE;
    world.buried++;
    if (p != world.current) return;
    next = scheduler_next(p);
    leave(p);
    abort(); /* nobody comes back here */
}

void world_kill(process *p, uint64_t unlock_after_us) {
    world.deaths++;
    bury(p, world_now_us() + unlock_after_us);
}

static void life(void) {
    process *me = world.current;
    arm();
    operations_live(me);
    bury(me, world_now_us());
}

static bool give_birth(void) {
    uint32_t alive = 0;
    process *place = NULL;
    for (uint32_t i = 0; i < PLACES; i++) {
        alive += world.places[i].state != STATE_NONE;
        if (world.places[i].state == STATE_NONE && !place) place = &world.places[i];
    }
    const bool auditor = world.born == world.settings->processes;
    if (!place || world.born > world.settings->processes) return false;
    if (auditor ? alive > 0 : alive >= world.settings->alive) return false;
    const uint32_t number = world.born++;
    if (!auditor && !scheduler_wants(number)) return true;
    if (auditor) world.winding_down = true;
    *place = (process){.number = number,
                       .state = STATE_READY_TO_RUN,
                       .random = random_of(world.settings->seed, number, 1),
                       .step_max = UINT64_MAX};
    place->priority = scheduler_priority(place);
    const size_t i = (size_t)(place - world.places);
    place->stack_at = context_new(stacks[i], STACK_BYTES, life);
    operations_prepare(place);
    return true;
}

/* Nobody can go on: time passes until somebody can. False if nobody is there. */
static bool pass_time(void) {
    uint64_t soonest_us = UINT64_MAX;
    for (uint32_t i = 0; i < PLACES; i++) {
        const process *p = &world.places[i];
        if (p->state == STATE_NONE) continue;
        uint64_t at_us = p->stopped_until_us;
        if (p->state == STATE_WAITING && p->until_us > at_us) at_us = p->until_us;
        if (at_us < soonest_us) soonest_us = at_us;
    }
    if (soonest_us == UINT64_MAX) return false;
    const uint64_t now_us = world_now_us();
    if (soonest_us > now_us) world.leapt_us += soonest_us - now_us;
    return true;
}

static void run_all(void) {
    while (!world.over) {
        while (give_birth()) continue;
        process *p = next ? next : scheduler_next(NULL);
        next = NULL;
        if (!p) {
            if (!pass_time()) return;
            continue;
        }
        p->state = STATE_READY_TO_RUN;
        trace_runs(p);
        world.current = p;
        context_switch(&scheduler_at, p->stack_at);
        count_steps();
        world.current = NULL;
    }
}

/* ------------------------------------------------------------------ faults */

void world_broken(const char *rule, const char *format, ...) {
    count_steps();
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(world.fault, sizeof world.fault, format, arguments);
    va_end(arguments);
    world.rule = rule;
    siglongjmp(escape, 1);
}

static void on_signal(int number) {
    const process *p = world.current;
    snprintf(world.fault, sizeof world.fault, "signal %d (%s) in process %u, after %s:%d", number,
             strsignal(number), p ? p->number : NOBODY, p && p->file ? p->file : "?",
             p ? p->line : 0);
    world.rule = "signal";
    siglongjmp(escape, 1);
}

static void catch_signals(void) {
    static uint8_t stack[SIGNAL_STACK_BYTES];
    const stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternative, NULL);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_NODEFER};
    const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

void world_run(const settings *s) {
    world = (world_state){.settings = s, .ends_at = 200000000};
    sim_countdown = armed = 1;
    next = NULL;
    eyes_closed = false;
    catch_signals();
    system_begin();
    operations_begin(s);
    if (sigsetjmp(escape, 1) == 0) run_all();
    world.current = NULL;
    operations_end();
    system_end();
}
