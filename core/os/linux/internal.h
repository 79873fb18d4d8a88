/* SPDX-License-Identifier: MIT
 *
 * internal.h: what the files of this folder share.
 */
#ifndef FC_LINUX_INTERNAL_H
#define FC_LINUX_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "../os.h"

/* Of x86-64, and of arm64 with pages of 4 KiB. Where huge pages are larger, none are had. */
#define HUGE_PAGE_BYTES ((uint64_t)2 << 20)

/* Maps a file for reading and writing at an address where huge pages fit, if it is large enough
 * for one and address space allows, else at any address. MAP_FAILED, and errno, on failure. */
void *map_aligned(int fd, uint64_t size_bytes);

/* os_memory_exceeds, where /proc and /sys lie in the folder `root`: "", or what a test has made. */
bool memory_exceeds(const char *root, uint64_t size_bytes, os_memory_limit *narrowest);

#endif
