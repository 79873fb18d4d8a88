/* SPDX-License-Identifier: MIT
 *
 * os.h is the contract between the core and an operating system: one folder per
 * system implements it (linux/), and nothing above it knows which.
 *
 * Functions returning int32_t answer FC_OK or an fc_status; where the reason
 * matters to the user, os_error_text(os_error) says it in the system's words.
 */
#ifndef FC_OS_H
#define FC_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A system error number, 0 for none. */
typedef int os_error;
const char *os_error_text(os_error error);
/* FC_PERMISSION, FC_NOT_FOUND, FC_NO_SPACE or FC_INVALID_ARGUMENT. */
int32_t os_error_status(os_error error);

/* ------------------------------------------------------------------- files */

typedef struct os_file_state {
    uint64_t size_bytes;
    bool ours; /* owned by this user (the superuser owns what it created only) */
    bool regular;
    bool linked;       /* still has a name */
    bool private_mode; /* no permission for group and others */
} os_file_state;

/* Opens without following a symbolic link in the last component, closed on exec.
 * `create` makes a missing file with mode 0600. *fd is set on 0. */
os_error os_file_open(const char *path, bool create, int *fd);
/* Memory without a name, 0600, closed on exec. */
os_error os_file_anonymous(int *fd);
/* A second, independent open file of what `fd` refers to. */
os_error os_file_reopen(int fd, int *reopened);
os_error os_file_state_get(int fd, os_file_state *state);
os_error os_file_read(int fd, uint64_t offset, void *to, size_t len);
os_error os_file_write(int fd, uint64_t offset, const void *from, size_t len);
/* Sets the size of an empty file and makes the system reserve all of it, in huge pages as far as it
 * gives them. */
os_error os_file_reserve(int fd, uint64_t size_bytes);
os_error os_file_truncate(int fd, uint64_t size_bytes);
void os_file_close(int fd);
os_error os_file_unlink(const char *path);

/* Where named segments live: the path of the one called `name`, or of all of them. */
bool os_shared_memory_path(const char *name, size_t name_len, char *path, size_t capacity);
/* Calls `visit` with each name of this user's. */
os_error os_shared_memory_list(void (*visit)(void *context, const char *name, size_t len),
                               void *context);
/* Total bytes of the file system behind shared memory; 0 if unknown. */
uint64_t os_file_system_bytes(int fd);

/* ------------------------------------------------------------------ memory */

/* Maps a file for reading and writing. Should it be cut short while it is mapped, then whoever
 * touches what is gone finds zeros of its own from there on, instead of the signal SIGBUS, and
 * *lost, which outlives the mapping, becomes 1 before that. Signals for other memory go to
 * whoever handled them before the first os_map. */
os_error os_map(int fd, uint64_t size_bytes, uint32_t *lost, void **base);
void os_unmap(void *base, uint64_t size_bytes);

/* -------------------------------------------------------------- byte locks */

/* Locks held by an open file, not by a process; the kernel drops them when the last
 * descriptor of that open file is closed, in whatever way its process ends, and they
 * mean the same in every PID namespace. */
/* 0, or OS_LOCKED if another open file holds it, or an error. */
#define OS_LOCKED (-1)
os_error os_byte_lock(int fd, uint64_t offset);
void os_byte_unlock(int fd, uint64_t offset);
/* Does an open file other than `fd` hold a lock in [offset, end)? *found is one of the locked
 * offsets, not always the first. */
bool os_byte_held(int fd, uint64_t offset, uint64_t end, uint64_t *found);

/* ------------------------------------------------------------ waiting, time */

/* Sleeps while *word == expected, at most wait_us; may wake for no reason. The word
 * may be in memory shared between processes. */
void os_wait(uint32_t *word, uint32_t expected, uint32_t wait_us);
/* Wakes one sleeper. */
void os_wake_one(uint32_t *word);
void os_sleep_us(uint32_t us);

/* Since boot, counting the time asleep; not moved by setting the clock. */
uint64_t os_uptime_ms(void);
uint64_t os_uptime_us(void);
/* Since 1970; may jump. */
uint64_t os_calendar_ms(void);
/* Differs between boots of this machine. */
uint64_t os_boot_id(void);

/* -------------------------------------------------------------------- misc */

/* From the system's random source; false if there is none. */
bool os_random(void *to, size_t len);
uint32_t os_processors(void);
/* Runs `handler` in the child after each fork(). */
bool os_after_fork(void (*handler)(void));

#endif
