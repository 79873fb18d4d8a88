/* SPDX-License-Identifier: MIT
 *
 * scheduler.h owns every decision that is no process's own: who runs, who dies, who is stopped, when
 * the clock leaps, who wakes for no reason. It draws them from the seed, or follows a script of what
 * was decided before (script.h).
 *
 * Drawn, they come in epochs. In one kind the process that runs next is any of them, after a number
 * of steps that is drawn anew each time (a random walk). In the other each process has a priority,
 * the highest runs, and at a few change points the running one's becomes the lowest: PCT (Burckhardt
 * et al., "A randomized scheduler with probabilistic guarantees of finding bugs", ASPLOS 2010).
 */
#ifndef SIM_SCHEDULER_H
#define SIM_SCHEDULER_H

#include "hooks.h"
#include "script.h"
#include "world.h"

/* Before a run. Follows `replay` unless it is null; notes what it decides in `record` likewise. */
void scheduler_begin(const settings *s, const script *replay, script *record);

/* The current process is about to do this. */
void scheduler_decide(enum sim_access access);
/* Steps until it wants to decide again. */
int64_t scheduler_quiet_steps(void);
/* Who goes on when `leaving`, which may be null, cannot; null if nobody can. */
process *scheduler_next(process *leaving);
/* Somebody was woken. */
void scheduler_woken(void);
uint32_t scheduler_priority(const process *newborn);
/* Was this process, or an operation of it, left in? */
bool scheduler_wants(uint32_t number);
bool scheduler_wants_operation(uint32_t number, uint32_t operation);

#endif
