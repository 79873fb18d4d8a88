/* SPDX-License-Identifier: MIT
 *
 * hooks.h puts a step of the simulator's scheduler in front of each access to shared memory: it is
 * what FC_SIM names when core/ is built for the simulator, and comes in at the end of atomic.h.
 * Each function of atomic.h becomes a macro of the same name that takes a step, then calls it. A
 * copy becomes pieces with a step in front of each, so that it can be interrupted in the middle.
 *
 * A step costs a subtraction until the scheduler has something to do. Memory that is not in a
 * segment belongs to one process, and costs nothing.
 */
#ifndef SIM_HOOKS_H
#define SIM_HOOKS_H

#include <stddef.h>
#include <stdint.h>

#include "atomic.h"

/* All segments lie in here, each in a slot of its own, at the same place for every process. */
#define SIM_SLOTS 6u
#define SIM_SLOT_BYTES (2u << 20)
extern uint8_t sim_memory[SIM_SLOTS * SIM_SLOT_BYTES];

enum sim_access { SIM_LOAD, SIM_STORE, SIM_SWAP, SIM_COPY_FROM, SIM_COPY_TO, SIM_CALL };

/* Steps until the scheduler wants to be asked. */
extern int64_t sim_countdown;
/* The process is about to do this there. Comes back when it may, or never. */
void sim_pause(const char *file, int line, enum sim_access access);
/* A reader begins an attempt, if that is where a shard's sequence lies. */
void sim_attempt(const void *at);

static inline void sim_step(const char *file, int line, enum sim_access access, const void *at) {
    if ((uintptr_t)at - (uintptr_t)sim_memory >= sizeof sim_memory) return;
    if (--sim_countdown <= 0) sim_pause(file, line, access);
}

void sim_copy(const char *file, int line, enum sim_access access, void *to, const void *from,
              size_t len);

#define SIM_AT(access, p) sim_step(__FILE__, __LINE__, access, p)

#define load_u64_relaxed(p) (SIM_AT(SIM_LOAD, p), load_u64_relaxed(p))
#define load_u64_acquire(p) (SIM_AT(SIM_LOAD, p), sim_attempt(p), load_u64_acquire(p))
#define load_u32_relaxed(p) (SIM_AT(SIM_LOAD, p), load_u32_relaxed(p))
#define load_u32_acquire(p) (SIM_AT(SIM_LOAD, p), load_u32_acquire(p))
#define load_u16_relaxed(p) (SIM_AT(SIM_LOAD, p), load_u16_relaxed(p))
#define equals_shared(p, own, len) (SIM_AT(SIM_LOAD, p), equals_shared(p, own, len))

#define store_u64_relaxed(p, v) sim_store_u64_relaxed(__FILE__, __LINE__, p, v)
#define store_u64_release(p, v) sim_store_u64_release(__FILE__, __LINE__, p, v)
#define store_u32_relaxed(p, v) sim_store_u32_relaxed(__FILE__, __LINE__, p, v)
#define store_u32_release(p, v) sim_store_u32_release(__FILE__, __LINE__, p, v)
#define store_u16_relaxed(p, v) sim_store_u16_relaxed(__FILE__, __LINE__, p, v)
#define store_u8_relaxed(p, v) sim_store_u8_relaxed(__FILE__, __LINE__, p, v)

#define add_u64_relaxed(p, v) (SIM_AT(SIM_SWAP, p), add_u64_relaxed(p, v))
#define add_u64_release(p, v) (SIM_AT(SIM_SWAP, p), add_u64_release(p, v))
#define cas_u64_acquire(p, e, d) (SIM_AT(SIM_SWAP, p), cas_u64_acquire(p, e, d))
#define cas_u64_release(p, e, d) (SIM_AT(SIM_SWAP, p), cas_u64_release(p, e, d))

#define copy_from_shared(to, from, len) sim_copy(__FILE__, __LINE__, SIM_COPY_FROM, to, from, len)
#define copy_to_shared(to, from, len) sim_copy(__FILE__, __LINE__, SIM_COPY_TO, to, from, len)

/* Waiting for others is of no use here: they run when the scheduler says so. */
#define cpu_relax() ((void)0)

/* The value is worked out before the step, as by a processor: its loads are steps of their own. */
#define SIM_STORE_FUNCTION(type, name)                                           \
    static inline void sim_##name(const char *file, int line, type *p, type v) { \
        sim_step(file, line, SIM_STORE, p);                                      \
        (name)(p, v);                                                            \
    }
SIM_STORE_FUNCTION(uint64_t, store_u64_relaxed)
SIM_STORE_FUNCTION(uint64_t, store_u64_release)
SIM_STORE_FUNCTION(uint32_t, store_u32_relaxed)
SIM_STORE_FUNCTION(uint32_t, store_u32_release)
SIM_STORE_FUNCTION(uint16_t, store_u16_relaxed)
SIM_STORE_FUNCTION(uint8_t, store_u8_relaxed)

#endif
