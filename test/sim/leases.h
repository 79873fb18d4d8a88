/* SPDX-License-Identifier: MIT
 *
 * leases.h owns what may happen to the leases of keys (contract F1, F4): for each key of each
 * segment who was given one last, and when calls that take it away began and ended.
 *
 *  - While somebody holds a lease, and nothing may have taken it away, no other is given one.
 *  - What was computed is not stored if for certain something has taken the lease away.
 *  - A lease is not lost for no reason.
 *  - Who waits for one is told of its end.
 *
 * Times are those of oracle_now.
 */
#ifndef SIM_LEASES_H
#define SIM_LEASES_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_LEASE_MS 3600000.0

/* A run begins. */
void leases_begin(void);
/* A call begins that may take away the lease of a key; it is over, or its process dead. */
enum change { CHANGE_NONE, CHANGE_PERHAPS, CHANGE_DONE };
void leases_change_begins(uint32_t slot, uint32_t key);
void leases_change_ended(uint32_t slot, uint32_t key, uint64_t begin, enum change change);

/* The process `number` was given the lease; is about to get rid of it; has got rid of it. */
void leases_given(uint32_t slot, uint32_t key, double token, uint32_t number);
void leases_let_go(uint32_t slot, uint32_t key, double token);
void leases_ended(uint32_t slot, uint32_t key, double token);
/* Must what the holder is about to store be refused? */
bool leases_is_fenced(uint32_t slot, uint32_t key, double token);
/* It was refused. */
void leases_refused(uint32_t slot, uint32_t key, double token);
/* Has that lease ended, and those who wait been told? */
bool leases_told(uint32_t slot, uint32_t key, double token);

#endif
