/* SPDX-License-Identifier: MIT
 *
 * process.h owns the process table: who is attached, and who is alive. A slot belongs to
 * the open file that holds the byte lock at SLOT_LOCK_OFFSET + slot; the kernel drops the
 * lock when that process ends in any way, whatever PID namespace it lives in (LMDB finds
 * stale readers in a similar way).
 */
#ifndef FC_PROCESS_H
#define FC_PROCESS_H

#include "cache.h"

/* Takes a free slot for c->fd and fills in c->slot, c->slot_index and c->owner.
 * FC_TOO_MANY_PROCESSES if all are taken. */
int32_t process_attach(cache *c, fc_report *report);

/* Is whoever wrote this lock word still alive? Asks the kernel; some microseconds. A word
 * that nobody can have written has a dead owner. */
bool process_alive(const cache *c, uint64_t owner);

/* Number of attached processes, ours included once it has a slot. */
uint32_t process_count(const cache *c);

#endif
