/* SPDX-License-Identifier: MIT
 *
 * judge.h owns what each operation of a process says to the oracle, and what may come out of any of
 * them: statuses, numbers of attempts, and that a dead owner's lock is taken over.
 */
#ifndef SIM_JUDGE_H
#define SIM_JUDGE_H

#include "mind.h"

/* An operation begins, in the trace's words `name`, on a key. */
void judge_begin(mind *m, const char *name, uint32_t key);
/* A status that it must not have. */
void judge_unexpected(const mind *m, int32_t status);
/* FC_BUSY: a writer that finds a dead owner takes over, and is not refused. */
void judge_refused(const mind *m);

/* Each of what follows since judge_begin. A reader that `gave_up` is believed about nothing. */
void judge_missed(const mind *m, uint32_t key, bool gave_up);
void judge_was_there(const mind *m, uint32_t key);
/* Returns the value's id. */
uint64_t judge_saw(const mind *m, uint32_t key, const uint8_t *value, uint32_t len, double version);
/* May one of so many lookups have ended after the last attempt that it has? */
bool judge_gave_up(const mind *m, uint32_t keys);
void judge_read_bounded(const mind *m, uint32_t keys);

/* The id of the operation's i-th value; and of a number. */
uint64_t judge_id(const mind *m, uint32_t i);
uint64_t judge_number(double number);
/* The key's index word becomes a decoy: see values.h. */
void judge_note_decoy(mind *m, uint32_t key);

#endif
