/* SPDX-License-Identifier: MIT
 *
 * system.h owns the operating system that the virtual processes run on: it fulfils core/os/os.h for
 * them. Files are slots of sim_memory, and mapping one gives that memory. Byte locks belong to open
 * files; those of a dead process stay for a while, as the kernel takes its time. A futex is a state
 * of the process (world.h). Memory and files run out now and then.
 *
 * The core's allocations come from here as well, so that a dead process' are freed.
 */
#ifndef SIM_SYSTEM_H
#define SIM_SYSTEM_H

#include <stdint.h>

void system_begin(void);
void system_end(void);
/* The process is dead: its files are closed, its locks are let go at that time. */
void system_bury(uint32_t number, uint64_t unlock_at_us);
/* Which slot of sim_memory a place lies in. */
uint32_t system_slot_of(const void *at);
/* What one file holds is looked at by one name: how often was the slot taken for a new file? */
uint64_t system_slot_life(uint32_t slot);
/* How often was a byte of it locked? */
uint64_t system_lockings(uint32_t slot);

#endif
