/* SPDX-License-Identifier: MIT
 *
 * operations.h owns what a process does in its life: it opens the segment, then does one operation
 * after the other, each drawn from its number and the process', and hands what it got to the oracle.
 *
 * To add an operation: a name and a weight in the table of operations.c, a function that says to the
 * oracle what it may do, makes the call, and says what came of it; and, where a death in it may have
 * done something, a line in operations_bury.
 */
#ifndef SIM_OPERATIONS_H
#define SIM_OPERATIONS_H

#include "settings.h"
#include "world.h"

void operations_begin(const settings *s);
void operations_end(void);
/* A process is born; it does what it does; it is dead. */
void operations_prepare(process *p);
void operations_live(process *p);
void operations_bury(process *p);
/* Operations that came to an end, in all runs. */
uint64_t operations_count(void);

#endif
