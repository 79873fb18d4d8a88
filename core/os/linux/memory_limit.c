/* SPDX-License-Identifier: MIT
 *
 * memory_limit.c: how much memory this process may still have. The kernel grants memory beyond a
 * limit of a control group, and then kills somebody; so it is asked for before. A limit may be set
 * at the group that the process is in or at any above it, in the hierarchy of cgroup v2 or in that
 * of v1's memory controller. What counts as used includes the page cache; as much of that as has
 * not been used lately (inactive_file) is given back before anybody is killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../check.h"
#include "../os.h"
#include "../posix/internal.h"
#include "internal.h"

#define LINE_MAX_BYTES 8192u
#define PATH_MAX_BYTES 4096u

static const char group_remedy[] =
    "; use a smaller size, or raise the limit (docker run --memory, resources.limits.memory in "
    "Kubernetes, MemoryMax in systemd)";
static const char machine_remedy[] = "; use a smaller size, or free some of it";

/* The file names of a hierarchy, and what they say. */
typedef struct hierarchy {
    const char *limit, *used, *reclaimable;
} hierarchy;

static const hierarchy version_2 = {"memory.max", "memory.current", "inactive_file "};
static const hierarchy version_1 = {"memory.limit_in_bytes", "memory.usage_in_bytes",
                                    "total_inactive_file "};
/* Where v1 has no limit it says 2^63 - 1, rounded down to pages. */
#define LIMIT_NONE ((uint64_t)1 << 62)

/* The number behind `name` in a file of lines such as "MemAvailable:  123 kB", or of a number only
 * (`name` empty). UINT64_MAX if there is none. */
static uint64_t number_in(const char *path, const char *name) {
    FILE *file = fopen(path, "re");
    if (!file) return UINT64_MAX;
    char line[256];
    uint64_t number = UINT64_MAX;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, name, strlen(name)) != 0) continue;
        unsigned long long value;
        if (sscanf(line + strlen(name), "%llu", &value) == 1) number = value;
        break;
    }
    fclose(file);
    return number;
}

static void narrow(os_memory_limit *narrowest, uint64_t limit_bytes, uint64_t left_bytes,
                   const char *what, const char *path, const char *remedy) {
    if (left_bytes >= narrowest->left_bytes) return;
    narrowest->limit_bytes = limit_bytes;
    narrowest->left_bytes = left_bytes;
    narrowest->remedy = remedy;
    (void)snprintf(narrowest->what, sizeof narrowest->what, "%s%s", what, path);
}

static void look_at_machine(const char *root, os_memory_limit *narrowest) {
    char path[PATH_MAX_BYTES];
    (void)snprintf(path, sizeof path, "%s/proc/meminfo", root);
    const uint64_t total_kib = number_in(path, "MemTotal:");
    const uint64_t kib = number_in(path, "MemAvailable:");
    const uint64_t swap_kib = number_in(path, "SwapFree:");
    if (kib > UINT64_MAX / 2048 || total_kib > UINT64_MAX / 2048) return;
    const uint64_t left = kib * 1024 + (swap_kib < UINT64_MAX / 4096 ? swap_kib * 1024 : 0);
    narrow(narrowest, total_kib * 1024, left, "the memory of this machine", "", machine_remedy);
}

static void look_at_group(const char *group, const hierarchy *h, os_memory_limit *narrowest) {
    char path[PATH_MAX_BYTES + 32];
    (void)snprintf(path, sizeof path, "%s/%s", group, h->used);
    const uint64_t used = number_in(path, "");
    (void)snprintf(path, sizeof path, "%s/memory.stat", group);
    const uint64_t cached = number_in(path, h->reclaimable);
    const uint64_t inherited = number_in(path, "hierarchical_memory_limit ");
    (void)snprintf(path, sizeof path, "%s/%s", group, h->limit);
    const uint64_t limit = min_u64(number_in(path, ""), inherited);
    if (limit >= LIMIT_NONE || used == UINT64_MAX) return;
    const uint64_t kept = cached < used ? used - cached : cached == UINT64_MAX ? used : 0;
    narrow(narrowest, limit, limit > kept ? limit - kept : 0, "the memory limit ", path,
           group_remedy);
}

/* The group of this process as /proc/self/cgroup says it, in the hierarchy of v2 ("0::<path>") or
 * in that of v1 which has the memory controller ("4:memory:<path>"). */
static bool own_group(const char *root, const hierarchy *h, char *group) {
    char path[PATH_MAX_BYTES], line[LINE_MAX_BYTES];
    (void)snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    if (!file) return false;
    bool found = false;
    while (!found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':');
        char *group_path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group_path || strlen(group_path + 1) >= PATH_MAX_BYTES) continue;
        *group_path = ',';
        char *memory = strstr(controllers, "memory,"); /* behind a ':' or a ',' */
        found = h == &version_2 ? controllers[1] == ',' && strtol(line, NULL, 10) == 0
                                : memory && (memory[-1] == ':' || memory[-1] == ',');
        if (found) strcpy(group, group_path + 1);
    }
    fclose(file);
    return found;
}

/* Undoes the escapes of mountinfo: \040 for a space, \134 for a backslash. */
static void unescape(char *text) {
    char *to = text;
    for (const char *from = text; *from; to++) {
        unsigned code;
        if (from[0] == '\\' && sscanf(from + 1, "%3o", &code) == 1) {
            *to = (char)code;
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = 0;
}

/* `group` as seen below a mount of `mount_root`; "" if it is elsewhere, as in a namespace of groups
 * that shows less than it has. */
static const char *below(const char *mount_root, const char *group) {
    const size_t len = strcmp(mount_root, "/") == 0 ? 0 : strlen(mount_root);
    if (strncmp(group, mount_root, len) != 0) return "";
    if (group[len] != '/' || strcmp(group + len, "/") == 0) return "";
    return strncmp(group + len, "/..", 3) == 0 ? "" : group + len;
}

/* One hierarchy at one mount: from the process's own group up to the mount. */
static void look_at_mount(const char *root, const char *mount_root, const char *mount_point,
                          const hierarchy *h, os_memory_limit *narrowest) {
    char group[PATH_MAX_BYTES], path[PATH_MAX_BYTES];
    if (!own_group(root, h, group)) return;
    const int top = snprintf(path, sizeof path, "%s%s", root, mount_point);
    const char *rest = below(mount_root, group);
    if (top < 0 || (size_t)top + strlen(rest) >= sizeof path) return;
    strcpy(path + top, rest);
    for (;;) {
        look_at_group(path, h, narrowest);
        char *last = strrchr(path + top, '/');
        if (!last) return;
        *last = 0;
    }
}

static void look_at_groups(const char *root, os_memory_limit *narrowest) {
    char path[PATH_MAX_BYTES], line[LINE_MAX_BYTES];
    (void)snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
    FILE *file = fopen(path, "re");
    if (!file) return;
    while (fgets(line, sizeof line, file)) {
        /* number, parent, device, root, mount point, ... - type, source, options */
        char mount_root[LINE_MAX_BYTES], mount_point[LINE_MAX_BYTES];
        const char *kind = strstr(line, " - cgroup");
        if (!kind || sscanf(line, "%*s %*s %*s %s %s", mount_root, mount_point) != 2) continue;
        unescape(mount_root);
        unescape(mount_point);
        const bool second = strncmp(kind, " - cgroup2 ", 11) == 0;
        if (!second && !strstr(kind, "memory")) continue;
        look_at_mount(root, mount_root, mount_point, second ? &version_2 : &version_1, narrowest);
    }
    fclose(file);
}

bool memory_exceeds(const char *root, uint64_t size_bytes, os_memory_limit *narrowest) {
    *narrowest = (os_memory_limit){.left_bytes = UINT64_MAX};
    look_at_machine(root, narrowest);
    look_at_groups(root, narrowest);
    return size_bytes > narrowest->left_bytes;
}

bool os_memory_exceeds(uint64_t size_bytes, os_memory_limit *narrowest) {
    return memory_exceeds("", size_bytes, narrowest);
}
