/* SPDX-License-Identifier: MIT
 *
 * place.h owns where segments lie: their names and paths, whose file it is and what it holds, the
 * lock under which it changes hands, removing them, and the list of what is there.
 */
#ifndef FC_PLACE_H
#define FC_PLACE_H

#include "cache.h"
#include "os/os.h"

#define PLACE_PATH_MAX 4096u

typedef struct target {
    char path[PLACE_PATH_MAX]; /* empty for the kinds that have none */
    const char *label;         /* for messages */
} target;

/* The path of a name or path; FC_INVALID_ARGUMENT for one that cannot be. */
int32_t place_resolve(uint32_t kind, const char *name, uint32_t len, target *t, fc_report *report);

/* What the system said, with what was to be done. */
int32_t place_fail(fc_report *report, const char *action, const char *label, os_error error);

/* Refuses what is not a regular file of this user's alone. Fills in *state. */
int32_t place_check_owner(int fd, const char *label, os_file_state *state, fc_report *report);

/* Does the file hold a segment, or nothing, or somebody else's bytes (FC_CORRUPT)? */
int32_t place_content(int fd, const os_file_state *file, const char *label,
                      enum segment_state *state, fc_report *report);

/* Takes the creation lock on `fd`; FC_BUSY after wait_us. It is dropped with `fd`. */
int32_t place_lock(int fd, uint64_t wait_us, const char *label, fc_report *report);
/* How long others may take to create a segment, or to write it back when they close it. */
uint64_t place_patience_us(const os_file_state *file, uint64_t size_bytes);

/* Is anybody attached but by `fd` itself? */
bool place_attended(int fd);

/* Where a segment is made that is to take the name of the one at `t`: no name of a segment can be
 * like that. False if its path would be too long. */
bool place_beside(const target *t, target *beside);
/* Removes what somebody who died in the middle of that has left. With the creation lock of the
 * segment at `t` held, as whoever makes one there has it. */
void place_sweep(const target *t);

int32_t place_destroy(uint32_t kind, const char *name, uint32_t name_len, fc_report *report);
int32_t place_list(char *buffer, uint32_t capacity);

#endif
