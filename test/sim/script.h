/* SPDX-License-Identifier: MIT
 *
 * script.h owns what was decided in a run, so that it can be played again, whole or in part: each
 * decision says in front of which step of which operation of which process it was made. So it keeps
 * its meaning when other processes, operations or decisions are left out.
 */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum decision_kind {
    DECIDED_SWITCH, /* `target` runs */
    DECIDED_NEXT,   /* the process cannot go on: `target` runs */
    DECIDED_KILL,   /* `target` dies; its locks stay for `amount` us */
    DECIDED_STOP,   /* `target` stands still for `amount` us */
    DECIDED_LEAP,   /* the clock goes on by `amount` us */
    DECIDED_WAKE,   /* `target`, which waits, wakes for no reason */
    DECISION_KINDS
};

typedef struct decision {
    uint32_t process, operation; /* made in front of */
    uint64_t step;
    uint32_t target;
    uint8_t kind;
    bool left_out;
    uint64_t amount;
} decision;

typedef struct script {
    decision *decisions; /* in the order in which they were made */
    size_t count, room;
    uint8_t *process_left_out;   /* a byte for each */
    uint8_t *operation_left_out; /* a byte for each of each process, one process after the other */
    uint32_t processes, operations;
} script;

void script_begin(script *s, uint32_t processes, uint32_t operations);
void script_add(script *s, const decision *d);
void script_free(script *s);
/* Copies what is left out, and decisions that are not. */
void script_copy(script *to, const script *from);
const char *decision_name(uint8_t kind);

#endif
