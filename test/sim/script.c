/* SPDX-License-Identifier: MIT
 *
 * script.c: see script.h.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

static void *memory(void *old, size_t bytes) {
    void *got = realloc(old, bytes ? bytes : 1);
    if (!got) abort();
    return got;
}

void script_begin(script *s, uint32_t processes, uint32_t operations) {
    *s = (script){.processes = processes, .operations = operations};
    s->process_left_out = memory(NULL, processes);
    s->operation_left_out = memory(NULL, (size_t)processes * operations);
    memset(s->process_left_out, 0, processes);
    memset(s->operation_left_out, 0, (size_t)processes * operations);
}

void script_add(script *s, const decision *d) {
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 1024;
        s->decisions = memory(s->decisions, s->room * sizeof *s->decisions);
    }
    s->decisions[s->count++] = *d;
}

void script_free(script *s) {
    free(s->decisions);
    free(s->process_left_out);
    free(s->operation_left_out);
    *s = (script){0};
}

void script_copy(script *to, const script *from) {
    script_begin(to, from->processes, from->operations);
    memcpy(to->process_left_out, from->process_left_out, from->processes);
    memcpy(to->operation_left_out, from->operation_left_out,
           (size_t)from->processes * from->operations);
    for (size_t i = 0; i < from->count; i++)
        if (!from->decisions[i].left_out) script_add(to, &from->decisions[i]);
}

const char *decision_name(uint8_t kind) {
    static const char *const names[DECISION_KINDS] = {
        [DECIDED_SWITCH] = "runs",          [DECIDED_NEXT] = "goes on",
        [DECIDED_KILL] = "is killed",       [DECIDED_STOP] = "is stopped",
        [DECIDED_LEAP] = "the clock leaps", [DECIDED_WAKE] = "wakes for no reason"};
    return kind < DECISION_KINDS ? names[kind] : "?";
}
