/* SPDX-License-Identifier: MIT
 *
 * internal.h owns what posix/ and a system's folder know of each other, besides os.h: what a system
 * has to add where POSIX has no call or no place for it, and what posix/ lends it. The rules at the
 * head of os.h hold here too.
 */
#ifndef FC_POSIX_INTERNAL_H
#define FC_POSIX_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "../os.h"

/* ----------------------------------------------------- what the system adds */

/* Maps a whole file for reading and writing, shared, as the system does it best. MAP_FAILED, and
 * errno, on failure. */
void *map_file(int fd, uint64_t size_bytes);
/* Puts private zeros in place of whole mapped pages. Called by a signal handler: it must be
 * async-signal-safe, and must not wait. */
bool map_zeros(uintptr_t from, size_t len);
/* For os_file_state. */
bool file_in_memory(int fd);
uint64_t file_birth_ns(int fd);
/* Where named shared memory lies: the path of a folder, with a '/' at its end. */
extern const char shared_memory_directory[];
/* What a user is told on ENOMEM: it names the limits that the system has. */
extern const char no_memory_text[];

/* -------------------------------------------------- what it need not repeat */

/* May this process not make files so large? Trying it would also raise SIGXFSZ. */
bool over_size_limit(uint64_t size_bytes);
/* Reserves a file's bytes where the file system has no other way: written zeros are as good. */
os_error write_zeros(int fd, uint64_t size_bytes);
uint64_t clock_read_us(clockid_t id);

#endif
