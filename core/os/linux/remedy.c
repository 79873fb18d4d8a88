/* SPDX-License-Identifier: MIT
 *
 * remedy.c: what users are told to do where the way out is Linux's own, or its containers'.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <unistd.h>

#include "../os.h"
#include "../posix/internal.h"

#define DOCKER_SHARED_MEMORY (64ull << 20)

const char no_memory_text[] = "no memory or address space is left; use a smaller size, or raise "
                              "the limits (ulimit -v, vm.max_map_count)";

const char *os_no_space_remedy(uint64_t total_bytes) {
    return total_bytes <= DOCKER_SHARED_MEMORY
               ? ". In a container give /dev/shm more memory (Docker's default is 64 MB): "
                 "--shm-size=1g, or --ipc=host or --ipc=container:<id> to share the host's or "
                 "another container's"
               : "; use a smaller size, or free some of it";
}

#define USE_PATH "; use `path`, a file in a folder that can be written, in place of `name`"

const char *os_shared_memory_problem(void) {
    if (access(shared_memory_directory, W_OK | X_OK) == 0) return NULL;
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return "this system has no /dev/shm, where named segments lie" USE_PATH;
    case EROFS:
        return "/dev/shm is read-only" USE_PATH;
    default:
        return "this user cannot write to /dev/shm" USE_PATH;
    }
}
