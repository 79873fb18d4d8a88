/* SPDX-License-Identifier: MIT
 *
 * kinds.h lists the kinds of operations. Each draws what it is about (mind.h), makes its call, and
 * has it judged (judge.h).
 */
#ifndef SIM_KINDS_H
#define SIM_KINDS_H

#include "mind.h"

/* reading.c */
void op_get(mind *m);
void op_has(mind *m);
void op_get_many(mind *m);
void op_iterate(mind *m);
void op_stats(mind *m);
void op_verify(mind *m);

/* writing.c */
void op_set(mind *m);
void op_add(mind *m);
void op_replace(mind *m);
void op_compare_and_set(mind *m);
void op_set_many(mind *m);
void op_delete(mind *m);
void op_delete_many(mind *m);
void op_delete_by_tag(mind *m);
void op_clear(mind *m);
void op_touch(mind *m);
void op_increment(mind *m);

/* computing.c */
void op_compute(mind *m);

/* attaching.c */
void op_fill(mind *m);
void op_reopen(mind *m);
void op_destroy(mind *m);

/* writing.c: a call begins that stores the operation's first value under the key; it is over. */
void store_begins(mind *m, uint32_t key, double ttl_ms);
void store_ended(mind *m, bool done, double ttl_ms);

#endif
