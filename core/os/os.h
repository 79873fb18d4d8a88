/* SPDX-License-Identifier: MIT
 *
 * os.h is the contract between the core and an operating system. posix/ fulfils what every system
 * of that family does alike, one folder per system (linux/) the rest; posix/internal.h says what
 * that is. Nothing above core/os/ knows which system it is, nor a path of it.
 *
 * What holds for all functions, and is not said again:
 *
 *  - Errors: 0 is success. Else the result is an error number of the system, or OS_LOCKED where it
 *    is named. What a pointer is to be filled with is there on success (or `true`) only. errno is
 *    neither looked at nor kept.
 *  - Arguments are the caller's to check. No pointer is NULL. A path ends with a NUL; a name has a
 *    length, and no '/'. offset + len is below 2^63, and nobody here looks whether it lies within
 *    the file. What is reserved or mapped has a size above 0.
 *  - `fd` is an open descriptor for reading and writing, which os_file_open, _anonymous or _reopen
 *    gave (to _reopen it may be any of this process). The caller closes it, once.
 *  - Threads: every function may be called by several at once. Byte locks do not tell threads that
 *    share an `fd` from each other.
 *  - Locks of the core: with a shard's lock held only os_uptime_* are called; by those who want
 *    one os_wait and os_byte_held, by those who have let go os_wake_one. These neither allocate nor
 *    wait for another thread. With the creation lock held anything but os_wait may be called: no
 *    call may drop a byte lock but os_byte_unlock, and os_file_close of the `fd` that holds it.
 *  - Signals and forks: os_file_close is async-signal-safe, for a handler of os_after_fork calls
 *    it. So is what os_map has run when a page is lost: that may be at any instruction which
 *    touches the mapping. No other function is called in such places, or needs to be safe there.
 */
#ifndef FC_OS_H
#define FC_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int os_error;
/* In words for users, with a remedy where there is one; not to be freed. */
const char *os_error_text(os_error error);
/* FC_OK, FC_PERMISSION, FC_NOT_FOUND, FC_NO_SPACE or FC_INVALID_ARGUMENT. */
int32_t os_error_status(os_error error);

/* ------------------------------------------------------------------- files */

typedef struct os_file_state {
    uint64_t size_bytes;
    bool ours; /* owned by this user (the superuser owns what it created only) */
    bool regular;
    bool linked;       /* still has a name */
    bool private_mode; /* no permission for group and others */
    bool in_memory;    /* does not outlive the boot */
    /* Which file it is: no two of one boot agree in all three. `birth_ns` tells a file from one
     * that had its number before; 0 where the file system does not know it. */
    uint64_t device, inode, birth_ns;
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
/* A limit of memory: what sets it, in words, its bytes, what of them is left, and how to have more
 * (the end of a message, from its punctuation on). */
typedef struct os_memory_limit {
    char what[512];
    uint64_t limit_bytes, left_bytes;
    const char *remedy;
} os_memory_limit;
/* Would so much more memory exceed what this process may have? *narrowest is filled in either way.
 * Asked before a reservation in memory: what is too much is granted, and then somebody killed. */
bool os_memory_exceeds(uint64_t size_bytes, os_memory_limit *narrowest);
/* Sets the size of an empty file and makes the system reserve all of it, in huge pages as far as it
 * gives them. */
os_error os_file_reserve(int fd, uint64_t size_bytes);
os_error os_file_truncate(int fd, uint64_t size_bytes);
/* What was written to the file before, through mappings too, outlives a loss of power from the
 * return on. May take as long as the disk takes for all of it. */
os_error os_file_sync(int fd);
void os_file_close(int fd);
os_error os_file_unlink(const char *path);
/* Gives the file at `from` the name `to`, which it takes from another in the same moment. Both are
 * in the same folder. */
os_error os_file_rename(const char *from, const char *to);

/* Where the segment called `name` of a layout version lives; false if `capacity` is too small for
 * its path. */
bool os_shared_memory_path(uint32_t version, const char *name, size_t name_len, char *path,
                           size_t capacity);
/* NULL, or why this process can make no segment by name, and the way out, in words for users. */
const char *os_shared_memory_problem(void);
/* Calls `visit` with the name of each segment of that version and of this user's: none where the
 * system has no named shared memory. */
os_error os_shared_memory_list(uint32_t version,
                               void (*visit)(void *context, const char *name, size_t len),
                               void *context);
/* Total bytes of the file system that `fd` lies on; 0 if unknown. */
uint64_t os_file_system_bytes(int fd);
/* How to get more room, where a file system of `total_bytes` had not enough: the end of a message,
 * from its punctuation on. */
const char *os_no_space_remedy(uint64_t total_bytes);

/* ------------------------------------------------------------------ memory */

/* Maps a file for reading and writing. Should it be cut short while it is mapped, then whoever
 * touches what is gone finds zeros of its own from there on, instead of the signal SIGBUS, and
 * *lost, which outlives the mapping, becomes 1 before that. Signals for other memory go to
 * whoever handled them before the first os_map. */
os_error os_map(int fd, uint64_t size_bytes, uint32_t *lost, void **base);
/* What os_map has mapped, with the same size. */
void os_unmap(void *base, uint64_t size_bytes);

/* -------------------------------------------------------------- byte locks */

/* Locks held by an open file, not by a process; the kernel drops them when the last
 * descriptor of that open file is closed, in whatever way its process ends, and they
 * mean the same in every PID namespace. */

/* Another open file holds it. No error number of a system is negative. */
#define OS_LOCKED (-1)
/* Does not wait. */
os_error os_byte_lock(int fd, uint64_t offset);
void os_byte_unlock(int fd, uint64_t offset);
/* Does an open file other than `fd` hold a lock in [offset, end)? *found is one of the locked
 * offsets, not always the first. Where the system cannot say, the answer is yes. */
bool os_byte_held(int fd, uint64_t offset, uint64_t end, uint64_t *found);

/* ------------------------------------------------------------ waiting, time */

/* Sleeps while *word == expected, at most wait_us; may wake for no reason. The word
 * may be in memory shared between processes. */
void os_wait(uint32_t *word, uint32_t expected, uint32_t wait_us);
/* Wakes one sleeper. */
void os_wake_one(uint32_t *word);
/* May end early, at a signal. */
void os_sleep_us(uint32_t us);

/* Since boot, counting the time asleep; not moved by setting the clock, and the same for all
 * processes of a boot, whatever namespaces they are in. */
uint64_t os_uptime_ms(void);
uint64_t os_uptime_us(void);
/* The same, cheaper: never ahead of os_uptime_ms, and behind it by no more than this. */
#define OS_COARSE_LAG_MS 50u
uint64_t os_uptime_coarse_ms(void);
/* Since 1970; may jump. */
uint64_t os_calendar_ms(void);
/* Differs between boots of this machine; 0 if unknown. */
uint64_t os_boot_id(void);

/* -------------------------------------------------------------------- misc */

/* From the system's random source; false if there is none. */
bool os_random(void *to, size_t len);
uint32_t os_processors(void);
/* Tells the calling thread from all others of this process that live; never 0. */
uint64_t os_thread_id(void);
/* Runs `handler` when the calling thread ends, unless the process does; until then the library
 * stays loaded. There is one handler in a process; the second call of a thread does nothing. */
void os_at_thread_exit(void (*handler)(void));
/* Tells this process from all others that may share a segment with it, whatever namespaces they are
 * in, and from its children; never 0. */
uint64_t os_process_id(void);
/* Runs `handler` in the child after each fork(). */
bool os_after_fork(void (*handler)(void));

#endif
