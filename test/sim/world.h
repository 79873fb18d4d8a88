/* SPDX-License-Identifier: MIT
 *
 * world.h owns the virtual processes: who there is, in which state, and what time it is for them.
 * A process is a coroutine; one runs at a time, and all others stand in front of an access to
 * shared memory, or in a call to the system. This is the only place that says what a process is:
 * whatever else belongs to one (open files, memory, what it is at) names it by its number.
 *
 * Everything that is left to chance and is no process's own is a decision of scheduler.c.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "settings.h"

/* Processes alive at once. */
#define PLACES 40u
#define NOBODY UINT32_MAX

enum process_state { STATE_NONE, STATE_READY_TO_RUN, STATE_WAITING };

/* What a process remembers for its operations; see operations.c. */
struct operation;

typedef struct process {
    uint32_t number; /* in the order of birth; never used again */
    enum process_state state;
    const uint32_t *word; /* waiting: for a wake-up there; null if only for the time */
    uint64_t until_us;    /* waiting: no longer than this */
    uint64_t stopped_until_us;
    uint32_t priority; /* the scheduler's */
    void *stack_at;    /* where it stands */
    uint64_t random;   /* of its own, so that others do not change what it does */
    uint32_t step_op;  /* number of its present operation */
    uint64_t step;     /* steps in it */
    uint64_t step_max; /* which it may take */
    uint32_t attempts; /* of a reader in it */
    const char *file;  /* where it stands, as far as it is known */
    int line;
    struct operation *operation; /* what it is at, or null */
} process;

typedef struct world {
    const settings *settings;
    process places[PLACES];
    process *current; /* null while the scheduler itself runs */
    uint32_t born, buried;
    uint64_t steps, ends_at; /* and a run ends there at the latest */
    uint64_t leapt_us;       /* time that passed without steps */
    uint64_t deaths;
    bool winding_down; /* no more births, nor decisions against anybody */
    bool over;
    const char *rule; /* what was broken, null if nothing */
    char fault[1024];
} world_state;

extern world_state world;

/* Runs the processes until all have ended or something is broken. */
void world_run(const settings *s);

/* Microseconds since boot. */
uint64_t world_now_us(void);
/* The current process sleeps until it is woken at `word`, which may be null, or the time comes. */
void world_wait(const uint32_t *word, uint64_t until_us);
/* Wakes whoever waits there longest. */
void world_wake_one(const uint32_t *word);
/* A call to the system is a step, too. */
void world_call(const char *name);
/* What is done in between counts as nothing, takes no time, and cannot be interrupted. */
int64_t world_close_eyes(void);
void world_open_eyes(int64_t left);
#define WITH_EYES_CLOSED(statement)              \
    do {                                         \
        const int64_t left = world_close_eyes(); \
        statement;                               \
        world_open_eyes(left);                   \
    } while (0)
/* The current process begins its operation `number`: steps are counted from here. */
void world_begin_operation(uint32_t number, uint64_t step_max);
/* Steps that it has taken in its operation. */
uint64_t world_steps_taken(void);
/* Ends it as SIGKILL does; what it had locked stays so for a while. Does not return if it is the
 * current one. */
void world_kill(process *p, uint64_t unlock_after_us);
/* For the scheduler: lets another process run, who may run as well as the current one may. */
void world_switch(process *to);
void world_stop(process *p, uint64_t until_us);
bool world_may_run(const process *p);
process *world_find(uint32_t number);

/* A promise was broken: the run ends here. `rule` is a short name, the rest tells what was seen. */
__attribute__((noreturn, format(printf, 2, 3))) void world_broken(const char *rule,
                                                                  const char *format, ...);

uint64_t random_next(uint64_t *state);
/* Below `limit`, which is above 0. */
uint64_t random_below(uint64_t *state, uint64_t limit);
/* A number that depends on all three and on nothing else. */
uint64_t random_of(uint64_t seed, uint64_t a, uint64_t b);

#endif
