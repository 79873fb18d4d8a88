/* SPDX-License-Identifier: MIT
 *
 * trace.h owns what is told of a run to people: which process did which operation, where it stood
 * when another took its turn, and what was decided about it.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "hooks.h"
#include "script.h"
#include "world.h"

/* `steps`: every single one is told. */
void trace_set(bool on, bool steps);
bool trace_is_on(void);

/* The current process is about to take a step; one gets its turn; something was decided. */
void trace_step(const process *p, enum sim_access access);
void trace_runs(const process *p);
void trace_decision(const decision *d);
/* What an operation is, or what came of it. */
__attribute__((format(printf, 1, 2))) void trace_say(const char *format, ...);

#endif
