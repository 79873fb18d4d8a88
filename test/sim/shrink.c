/* SPDX-License-Identifier: MIT
 *
 * shrink.c: see shrink.h.
 */
#include "shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scheduler.h"
#include "trace.h"

#define RULE_LEN 32

static struct {
    const settings *settings;
    script script;
    char rule[RULE_LEN];
    time_t until;
    uint64_t tried;
} s;

static bool fails(void) {
    s.tried++;
    scheduler_begin(s.settings, &s.script, NULL);
    world_run(s.settings);
    return world.rule && strcmp(world.rule, s.rule) == 0;
}

/* A part of the run that may be left out. */
typedef struct item {
    uint8_t *byte; /* of a process or an operation; null for a decision */
    size_t decision;
} item;

static void leave_out(const item *i, bool out) {
    if (i->byte)
        *i->byte = out;
    else
        s.script.decisions[i->decision].left_out = out;
}
static bool is_left_out(const item *i) {
    return i->byte ? *i->byte : s.script.decisions[i->decision].left_out;
}

/* Leaves out as much as it can, in parts that become smaller. True if something went. */
static bool reduce(const item *items, size_t count) {
    bool any = false;
    for (size_t part = (count + 1) / 2; part > 0; part = part == 1 ? 0 : (part + 1) / 2) {
        for (size_t from = 0; from < count && time(NULL) < s.until; from += part) {
            const size_t to = from + part < count ? from + part : count;
            bool *was = calloc(to - from, sizeof *was);
            bool something = false;
            for (size_t i = from; i < to; i++) {
                was[i - from] = is_left_out(&items[i]);
                something |= !was[i - from];
                leave_out(&items[i], true);
            }
            if (something && fails())
                any = true;
            else
                for (size_t i = from; i < to; i++) leave_out(&items[i], was[i - from]);
            free(was);
        }
    }
    return any;
}

static bool reduce_bytes(uint8_t *bytes, size_t count) {
    item *items = calloc(count + 1, sizeof *items);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (!bytes[i]) items[n++] = (item){.byte = &bytes[i]};
    const bool any = reduce(items, n);
    free(items);
    return any;
}

static bool reduce_decisions(uint8_t kind) {
    item *items = calloc(s.script.count + 1, sizeof *items);
    size_t n = 0;
    for (size_t i = 0; i < s.script.count; i++)
        if (s.script.decisions[i].kind == kind && !s.script.decisions[i].left_out)
            items[n++] = (item){.decision = i};
    const bool any = reduce(items, n);
    free(items);
    return any;
}

static size_t count_zero(const uint8_t *bytes, size_t count) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) n += !bytes[i];
    return n;
}

static void tell(const char *what) {
    size_t kinds[DECISION_KINDS] = {0}, operations = 0;
    for (size_t i = 0; i < s.script.count; i++)
        if (!s.script.decisions[i].left_out) kinds[s.script.decisions[i].kind]++;
    for (uint32_t p = 0; p < s.script.processes; p++)
        if (!s.script.process_left_out[p])
            operations += count_zero(s.script.operation_left_out + (size_t)p * s.script.operations,
                                     s.script.operations);
    printf("# %s: %zu processes, %zu operations, %zu switches, %zu deaths, %zu stops, %zu leaps, "
           "%zu wakes\n",
           what, count_zero(s.script.process_left_out, s.script.processes), operations,
           kinds[DECIDED_SWITCH] + kinds[DECIDED_NEXT], kinds[DECIDED_KILL], kinds[DECIDED_STOP],
           kinds[DECIDED_LEAP], kinds[DECIDED_WAKE]);
}

bool shrink(const settings *settings, uint32_t seconds, bool steps) {
    s.settings = settings;
    script_begin(&s.script, settings->processes, settings->operations);
    scheduler_begin(settings, NULL, &s.script);
    world_run(settings);
    if (!world.rule) {
        printf("# seed does not fail\n");
        return false;
    }
    snprintf(s.rule, RULE_LEN, "%s", world.rule);
    const uint64_t steps_then = world.steps;
    tell("as it was");
    if (!fails() || world.steps != steps_then) {
        printf("# it does not fail in the same way when it is played again (%s after %llu steps, "
               "not %llu)\n",
               world.rule ? world.rule : "nothing", (unsigned long long)world.steps,
               (unsigned long long)steps_then);
        return false;
    }
    s.until = time(NULL) + seconds;
    s.tried = 0;
    const uint8_t kinds[] = {DECIDED_KILL, DECIDED_STOP,   DECIDED_LEAP,
                             DECIDED_WAKE, DECIDED_SWITCH, DECIDED_NEXT};
    for (bool any = true; any && time(NULL) < s.until;) {
        any = reduce_bytes(s.script.process_left_out, s.script.processes);
        any |= reduce_bytes(s.script.operation_left_out,
                            (size_t)s.script.processes * s.script.operations);
        for (size_t i = 0; i < sizeof kinds; i++) any |= reduce_decisions(kinds[i]);
    }
    char what[64];
    snprintf(what, sizeof what, "shrunk in %llu runs", (unsigned long long)s.tried);
    tell(what);
    trace_set(true, steps);
    const bool again = fails();
    trace_set(false, false);
    printf("%s: %s\n", world.rule ? world.rule : "?", world.fault);
    script_free(&s.script);
    return again;
}
