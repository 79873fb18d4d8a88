/* SPDX-License-Identifier: MIT
 *
 * place.c: see place.h.
 */
#include "place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

#define LOCK_WAIT_US_MIN 10000000ull
#define LOCK_WAIT_US_PER_GIB 1000000ull
#define LOCK_WAIT_US_PER_GIB_ON_DISK 20000000ull
#define LOCK_POLL_US 1000u

/* ------------------------------------------------------------------- names */

static int32_t name_check(const char *name, uint32_t len, fc_report *report) {
    if (len < 1 || len > FC_NAME_LEN_MAX)
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "the name has %" PRIu32 " bytes; it must have 1 to %u", len,
                           FC_NAME_LEN_MAX);
    for (uint32_t i = 0; i < len; i++) {
        char c = name[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '.' || c == '_' || c == '-';
        if (!good)
            return report_fail(report, FC_INVALID_ARGUMENT,
                               "byte %" PRIu32 " of the name is 0x%02x; a name may hold letters, "
                               "digits, '.', '_' and '-'",
                               i, (unsigned char)c);
    }
    return FC_OK;
}

int32_t place_resolve(uint32_t kind, const char *name, uint32_t len, target *t, fc_report *report) {
    if (kind == FC_KIND_SHM) {
        int32_t status = name_check(name, len, report);
        if (status != FC_OK) return status;
        if (!os_shared_memory_path(LAYOUT_VERSION, name, len, t->path, sizeof t->path))
            return report_fail(report, FC_INVALID_ARGUMENT, "the name is too long");
        t->label = t->path;
        return FC_OK;
    }
    if (len < 1 || len >= sizeof t->path)
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "the path has %" PRIu32 " bytes; it must have 1 to %u", len,
                           PLACE_PATH_MAX - 1);
    if (memchr(name, 0, len))
        return report_fail(report, FC_INVALID_ARGUMENT, "the path contains a zero byte");
    memcpy(t->path, name, len);
    t->path[len] = 0;
    t->label = t->path;
    return FC_OK;
}

int32_t place_fail(fc_report *report, const char *action, const char *label, os_error error) {
    return report_fail(report, os_error_status(error), "cannot %s %s: %s", action, label,
                       os_error_text(error));
}

/* ------------------------------------------------------------------- files */

int32_t place_check_owner(int fd, const char *label, os_file_state *state, fc_report *report) {
    os_error error = os_file_state_get(fd, state);
    if (error) return place_fail(report, "inspect", label, error);
    if (!state->regular)
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "%s is not a regular file; choose another name or path", label);
    if (!state->ours)
        return report_fail(report, FC_PERMISSION,
                           "%s belongs to another user; a segment is opened by its owner only",
                           label);
    if (!state->private_mode)
        return report_fail(report, FC_PERMISSION,
                           "%s is open to group or others; set its mode to 0600 if you trust "
                           "its content",
                           label);
    return FC_OK;
}

int32_t place_lock(int fd, uint64_t wait_us, const char *label, fc_report *report) {
    const uint64_t deadline_us = os_uptime_us() + wait_us;
    for (;;) {
        os_error error = os_byte_lock(fd, CREATION_LOCK_OFFSET);
        if (!error) return FC_OK;
        if (error != OS_LOCKED) return place_fail(report, "lock", label, error);
        if (os_uptime_us() >= deadline_us)
            return report_fail(report, FC_BUSY,
                               "another process has been creating or closing %s for more than "
                               "%" PRIu64 " ms and is still alive; resume or end it",
                               label, wait_us / 1000);
        os_sleep_us(LOCK_POLL_US);
    }
}

uint64_t place_patience_us(const os_file_state *file, uint64_t size_bytes) {
    const uint64_t gib = max_u64(size_bytes, file->size_bytes) >> 30;
    return LOCK_WAIT_US_MIN +
           gib * (file->in_memory ? LOCK_WAIT_US_PER_GIB : LOCK_WAIT_US_PER_GIB_ON_DISK);
}

bool place_attended(int fd) {
    uint64_t slot;
    return os_byte_held(fd, SLOT_LOCK_OFFSET, SLOT_LOCK_OFFSET + GEOMETRY_SLOTS_MAX, &slot);
}

int32_t place_content(int fd, const os_file_state *file, const char *label,
                      enum segment_state *state, fc_report *report) {
    *state = STATE_ABSENT;
    if (file->size_bytes == 0) return FC_OK;
    superblock block = {0};
    os_error error =
        file->size_bytes < sizeof block ? 0 : os_file_read(fd, 0, &block, sizeof block);
    if (error) return place_fail(report, "read", label, error);
    if (block.magic != LAYOUT_MAGIC)
        return report_fail(report, FC_CORRUPT,
                           "%s is not a fastcache segment (%" PRIu64
                           " bytes of something else); choose another name or path",
                           label, file->size_bytes);
    *state = block.state == STATE_CREATING ? STATE_CREATING : STATE_READY;
    return FC_OK;
}

bool place_beside(const target *t, target *beside) {
    beside->label = t->label;
    const int len = snprintf(beside->path, sizeof beside->path, "%s~new", t->path);
    return len > 0 && (size_t)len < sizeof beside->path;
}

void place_sweep(const target *t) {
    target beside;
    int fd;
    if (!place_beside(t, &beside) || os_file_open(beside.path, false, &fd) != 0) return;
    os_file_state file;
    enum segment_state state;
    if (place_check_owner(fd, beside.path, &file, NULL) == FC_OK &&
        place_content(fd, &file, beside.path, &state, NULL) == FC_OK && !place_attended(fd))
        (void)os_file_unlink(beside.path);
    os_file_close(fd);
}

/* ----------------------------------------------------------------- removal */

int32_t place_destroy(uint32_t kind, const char *name, uint32_t name_len, fc_report *report) {
    if (kind != FC_KIND_SHM && kind != FC_KIND_FILE)
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "kind %" PRIu32 " has no name to remove; close its handles instead",
                           kind);
    target t;
    int32_t status = place_resolve(kind, name, name_len, &t, report);
    if (status != FC_OK) return status;
    int fd;
    os_error error = os_file_open(t.path, false, &fd);
    if (os_error_status(error) == FC_NOT_FOUND)
        return report_fail(report, FC_NOT_FOUND, "there is no segment %s", t.label);
    if (error) return place_fail(report, "open", t.label, error);
    os_file_state file;
    enum segment_state state;
    status = place_check_owner(fd, t.label, &file, report);
    if (status == FC_OK) status = place_lock(fd, place_patience_us(&file, 0), t.label, report);
    if (status == FC_OK) status = place_check_owner(fd, t.label, &file, report);
    if (status == FC_OK) status = place_content(fd, &file, t.label, &state, report);
    if (status == FC_OK && file.linked) {
        place_sweep(&t);
        error = os_file_unlink(t.path);
        if (error) status = place_fail(report, "remove", t.label, error);
    }
    os_file_close(fd);
    return status;
}

typedef struct name_list {
    char *buffer;
    uint32_t capacity;
    uint64_t len;
} name_list;

static void name_append(void *context, const char *name, size_t len) {
    name_list *list = context;
    if (name_check(name, (uint32_t)len, NULL) != FC_OK) return; /* see place_beside */
    if (list->len + len + 1 <= list->capacity) {
        memcpy(list->buffer + list->len, name, len);
        list->buffer[list->len + len] = '\n';
    }
    list->len += len + 1;
}

int32_t place_list(char *buffer, uint32_t capacity) {
    name_list list = {.buffer = buffer, .capacity = capacity};
    os_error error = os_shared_memory_list(LAYOUT_VERSION, name_append, &list);
    if (error) return os_error_status(error);
    return list.len > INT32_MAX ? FC_NO_SPACE : (int32_t)list.len;
}
