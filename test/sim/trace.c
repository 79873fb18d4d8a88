/* SPDX-License-Identifier: MIT
 *
 * trace.c: see trace.h.
 */
#include "trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct {
    bool on, steps;
    uint32_t number;        /* of the process whose turn is told */
    uint64_t turn;          /* steps of it */
    const char *first_file; /* where it began */
    int first_line;
    const char *file; /* where it is */
    int line;
} t;

void trace_set(bool on, bool steps) {
    t.on = on;
    t.steps = steps;
    t.number = NOBODY;
    t.turn = 0;
}
bool trace_is_on(void) { return t.on; }

static const char *base(const char *file) {
    const char *slash = strrchr(file, '/');
    return slash ? slash + 1 : file;
}

static void tell_turn(void) {
    if (t.turn > 0 && !t.steps)
        printf("  p%-3u %4llu steps  %s:%d ... %s:%d\n", t.number, (unsigned long long)t.turn,
               base(t.first_file), t.first_line, base(t.file), t.line);
    t.turn = 0;
}

void trace_step(const process *p, enum sim_access access) {
    static const char *const names[] = {[SIM_LOAD] = "loads",     [SIM_STORE] = "stores",
                                        [SIM_SWAP] = "swaps",     [SIM_COPY_FROM] = "reads",
                                        [SIM_COPY_TO] = "writes", [SIM_CALL] = "calls"};
    if (!t.on) return;
    if (t.number != p->number) tell_turn();
    t.number = p->number;
    t.file = p->file;
    t.line = p->line;
    if (t.turn++ == 0) {
        t.first_file = p->file;
        t.first_line = p->line;
    }
    if (t.steps)
        printf("  p%-3u step %llu  %s at %s:%d\n", p->number, (unsigned long long)p->step,
               names[access], base(p->file), p->line);
}

void trace_runs(const process *p) {
    if (!t.on || t.number == p->number) return;
    tell_turn();
    t.number = p->number;
}

void trace_decision(const decision *d) {
    if (!t.on) return;
    tell_turn();
    if (d->kind == DECIDED_LEAP)
        printf("       --- the clock leaps by %llu us\n", (unsigned long long)d->amount);
    else if (d->kind == DECIDED_KILL || d->kind == DECIDED_STOP)
        printf("       --- p%u %s (%llu us), in front of p%u's step %llu\n", d->target,
               decision_name(d->kind), (unsigned long long)d->amount, d->process,
               (unsigned long long)d->step);
    else
        printf("       --- p%u %s, in front of p%u's step %llu at %s:%d\n", d->target,
               decision_name(d->kind), d->process, (unsigned long long)d->step,
               t.file ? base(t.file) : "?", t.line);
}

void trace_say(const char *format, ...) {
    if (!t.on) return;
    tell_turn();
    va_list arguments;
    va_start(arguments, format);
    printf("p%-3u ", world.current ? world.current->number : NOBODY);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
}
