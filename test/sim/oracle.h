/* SPDX-License-Identifier: MIT
 *
 * oracle.h owns what may be seen. For each key of each segment it keeps what was stored and seen,
 * with the times of the calls, and says at once when no order of the operations, one after the other
 * and each within its call, explains an answer.
 *
 * Every value is stored once only, so a key is a register of unique values, and each value has a
 * zone (Gibbons and Korach, "Testing shared memories", SIAM J. Comput. 1997): from the first end to
 * the last begin of the calls that stored or saw it. If that is forward, the key held it throughout.
 * So two forward zones must not overlap, and none may contain a call that saw something else, also
 * none that missed. A value that ends before another begins has the lower version.
 *
 * A miss needs a reason as well: nothing was stored for certain, or what came after the last such
 * store can have been a delete, a clear, a deadline, a tag's deletion, or, where the segment is not roomy, eviction.
 *
 * A call that did not return may have taken effect up to its process' death; one that was refused
 * (FC_BUSY) must not have.
 *
 * To add an operation: give what it stores to oracle_stores and oracle_stored, what it sees to
 * oracle_saw, oracle_missed or oracle_was_there, what may remove to oracle_removes and
 * oracle_removed, what moves deadlines to oracle_touches and oracle_touched. Times are those of
 * oracle_now, taken in front of the call and behind it.
 */
#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include "settings.h"

#define ORACLE_KEYS_MAX 128u
#define NEVER UINT64_MAX

/* Deadlines in ms since boot: when the earliest and the latest possible one is. NEVER: none. */
typedef struct due {
    uint64_t least_ms, most_ms;
} due;

void oracle_begin(const settings *s);
/* A number that is higher than all before. */
uint64_t oracle_now(void);

/* `slot` is that of the segment (system.h), `key` is below ORACLE_KEYS_MAX. `id` names the value. */
void oracle_stores(uint32_t slot, uint32_t key, uint64_t id, due deadline);
/* The call that began at `begin` is over: stored, and the deadline is known better now; or not. */
void oracle_stored(uint32_t slot, uint32_t key, uint64_t id, uint64_t begin, bool done,
                   due deadline);
/* An increment whose result is not known stores some number. */
void oracle_adds(uint32_t slot, uint32_t key);
/* It was the sum of `before`, 0 for none, and one, which is the value `id`. */
void oracle_added(uint32_t slot, uint32_t key, uint64_t id, uint64_t before, uint64_t begin,
                  bool done);
/* A value was there. `version` 0 if not told; `began_ms` is the time since boot at `begin`. */
void oracle_saw(uint32_t slot, uint32_t key, uint64_t id, uint64_t version, uint64_t begin,
                uint64_t began_ms);
/* A compare-and-set found it, and replaced it. */
void oracle_replaced(uint32_t slot, uint32_t key, uint64_t id, uint64_t begin);
void oracle_missed(uint32_t slot, uint32_t key, uint64_t begin);
/* Must it have been there all the time? Then a call that passed it by is a fault. */
bool oracle_must_be_there(uint32_t slot, uint32_t key, uint64_t begin);
/* Something was there, and is not told. */
void oracle_was_there(uint32_t slot, uint32_t key, uint64_t begin, const char *by);
/* Something may remove the entry. When it has: `gone` says that the entry was absent in the call. */
void oracle_removes(uint32_t slot, uint32_t key);
void oracle_removed(uint32_t slot, uint32_t key, uint64_t begin, bool gone);
/* The same when its tag was deleted. That takes also what a call stores that had begun before, and
 * even if others have stored meanwhile: a value is as old as its call. */
void oracle_invalidated(uint32_t slot, uint32_t key, uint64_t begin, bool gone);
void oracle_touches(uint32_t slot, uint32_t key, due deadline);
/* With the same deadline; also if the process died. */
void oracle_touched(uint32_t slot, uint32_t key, due deadline);
/* The process that had said oracle_stores, or oracle_adds, is dead. */
void oracle_store_died(uint32_t slot, uint32_t key, uint64_t id);
void oracle_add_died(uint32_t slot, uint32_t key);

#endif
