/* SPDX-License-Identifier: MIT
 *
 * shared_memory.c: the names of segments. Each is a file in the system's folder for shared memory,
 * named "fastcache<version>-<name>", and belongs to the user that made it: releases of different
 * layouts do not meet.
 */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../os.h"
#include "internal.h"

#define PREFIX "fastcache%" PRIu32 "-"

bool os_shared_memory_path(uint32_t version, const char *name, size_t name_len, char *path,
                           size_t capacity) {
    int len = snprintf(path, capacity, "%s" PREFIX "%.*s", shared_memory_directory, version,
                       (int)name_len, name);
    return len > 0 && (size_t)len < capacity;
}

os_error os_shared_memory_list(uint32_t version,
                               void (*visit)(void *context, const char *name, size_t len),
                               void *context) {
    char prefix[32];
    const size_t prefix_len = (size_t)snprintf(prefix, sizeof prefix, PREFIX, version);
    DIR *directory = opendir(shared_memory_directory);
    if (!directory) return errno == ENOENT ? 0 : errno;
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        if (strncmp(entry->d_name, prefix, prefix_len) != 0) continue;
        struct stat s;
        if (fstatat(dirfd(directory), entry->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (!S_ISREG(s.st_mode) || s.st_uid != geteuid()) continue;
        visit(context, entry->d_name + prefix_len, strlen(entry->d_name) - prefix_len);
    }
    closedir(directory);
    return 0;
}
