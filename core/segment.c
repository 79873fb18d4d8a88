/* SPDX-License-Identifier: MIT
 *
 * segment.c: see segment.h. Creation in three steps, all under the creation lock (a byte
 * lock of the file, which the kernel drops if the creator dies):
 *
 *   1. write state CREATING into the empty file, 2. reserve and map, fill in everything,
 *   3. store state READY (release; pairs with attach's reading it under the same lock).
 *
 * Whoever gets the creation lock and finds anything but READY knows that no creator lives,
 * and begins again. So does who finds content that may not be served (seal.c). A file that is
 * neither empty nor of ours is never written to.
 */
#include "segment.h"

#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "os/os.h"
#include "process.h"
#include "report.h"
#include "seal.h"
#include "superblock.h"

#define PATH_LEN_MAX 4096u
#define LOCK_WAIT_US_MIN 10000000ull
#define LOCK_WAIT_US_PER_GIB 1000000ull
#define LOCK_WAIT_US_PER_GIB_ON_DISK 20000000ull
#define CLOSE_WAIT_US 1000000ull
#define LOCK_POLL_US 1000u

typedef struct target {
    char path[PATH_LEN_MAX];
    const char *label; /* for messages */
} target;

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

static int32_t target_resolve(uint32_t kind, const char *name, uint32_t len, target *t,
                              fc_report *report) {
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
                           PATH_LEN_MAX - 1);
    if (memchr(name, 0, len))
        return report_fail(report, FC_INVALID_ARGUMENT, "the path contains a zero byte");
    memcpy(t->path, name, len);
    t->path[len] = 0;
    t->label = t->path;
    return FC_OK;
}

static int32_t fail_os(fc_report *report, const char *action, const char *label, os_error error) {
    return report_fail(report, os_error_status(error), "cannot %s %s: %s", action, label,
                       os_error_text(error));
}

/* --------------------------------------------------------------- ownership */

/* Refuses what is not a regular file of this user. */
static int32_t ownership_check(int fd, const char *label, os_file_state *state, fc_report *report) {
    os_error error = os_file_state_get(fd, state);
    if (error) return fail_os(report, "inspect", label, error);
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

static int32_t creation_lock(int fd, uint64_t wait_us, const char *label, fc_report *report) {
    const uint64_t deadline_us = os_uptime_us() + wait_us;
    for (;;) {
        os_error error = os_byte_lock(fd, CREATION_LOCK_OFFSET);
        if (!error) return FC_OK;
        if (error != OS_LOCKED) return fail_os(report, "lock", label, error);
        if (os_uptime_us() >= deadline_us)
            return report_fail(report, FC_BUSY,
                               "another process has been creating or closing %s for more than "
                               "%" PRIu64 " ms and is still alive; resume or end it",
                               label, wait_us / 1000);
        os_sleep_us(LOCK_POLL_US);
    }
}

/* How long others may take to create a segment, or to write it back when they close it. */
static uint64_t patience_us(const os_file_state *file, uint64_t size_bytes) {
    const uint64_t gib = max_u64(size_bytes, file->size_bytes) >> 30;
    return LOCK_WAIT_US_MIN +
           gib * (file->in_memory ? LOCK_WAIT_US_PER_GIB : LOCK_WAIT_US_PER_GIB_ON_DISK);
}

/* Is anybody attached but by `fd` itself? */
static bool attended(int fd) {
    uint64_t slot;
    return os_byte_held(fd, SLOT_LOCK_OFFSET, SLOT_LOCK_OFFSET + GEOMETRY_SLOTS_MAX, &slot);
}

/* ---------------------------------------------------------------- creation */

static int32_t fail_reserve(int fd, uint64_t size_bytes, const char *label, os_error error,
                            fc_report *report) {
    if (os_error_status(error) != FC_NO_SPACE) return fail_os(report, "reserve", label, error);
    const uint64_t total = os_file_system_bytes(fd);
    if (total == 0)
        return report_fail(report, FC_NO_SPACE, "cannot reserve %" PRIu64 " bytes for %s: %s",
                           size_bytes, label, os_error_text(error));
    return report_fail(report, FC_NO_SPACE,
                       "cannot reserve %" PRIu64 " bytes for %s (%s); its file system has %" PRIu64
                       " bytes in all%s",
                       size_bytes, label, os_error_text(error), total, os_no_space_remedy(total));
}

/* Empties the file, in which a dead creator's work may be, says in it what it is to become, and has
 * all of it reserved. */
static int32_t reserve(int fd, uint64_t size_bytes, const char *label, const os_file_state *file,
                       fc_report *report) {
    superblock mark = {.magic = LAYOUT_MAGIC, .state = STATE_CREATING};
    os_error error = os_file_truncate(fd, 0);
    if (!error) error = os_file_write(fd, 0, &mark, sizeof mark);
    /* From now on the disk has nothing but what tells of us. */
    if (!error && !file->in_memory) error = os_file_sync(fd);
    os_memory_limit narrowest;
    if (!error && file->in_memory && os_memory_exceeds(size_bytes, &narrowest))
        return report_fail(report, FC_NO_SPACE,
                           "cannot reserve %" PRIu64 " bytes for %s: %s has %" PRIu64
                           " bytes in all, of which %" PRIu64 " are left%s",
                           size_bytes, label, narrowest.what, narrowest.limit_bytes,
                           narrowest.left_bytes, narrowest.remedy);
    if (!error) error = os_file_reserve(fd, size_bytes);
    return error ? fail_reserve(fd, size_bytes, label, error, report) : FC_OK;
}

/* The superblock was checked. */
static void adopt_policy(cache *c, uint32_t eviction) {
    c->eviction = eviction;
    c->policy = eviction_policy_of(eviction);
    c->marks_count_reads = c->policy->marks_count_reads;
}

static void shard_initialise(const cache *c, uint32_t index) {
    const geometry *g = &c->geometry;
    uint8_t *shard = c->base + g->shards_offset + index * g->shard_stride;
    shard_header *header = (shard_header *)shard;
    extent_state *states = (extent_state *)(shard + g->states_offset);
    /* The last extent holds the first buckets; fresh memory is zero, which is empty. */
    states[g->extents - 1].kind = EXTENT_INDEX;
    header->buckets = BUCKETS_MIN;
    header->index_extents = 1;
    header->free_extents = g->extents - 1;
    for (uint32_t i = 0; i < LANES; i++) header->open_extents[i] = EXTENT_NONE;
    for (int i = 0; i < WALKS; i++) header->walks[i].extent = EXTENT_NONE;
    header->expired_until_ms = TIME_NONE;
    header->epoch = 1;
}

static int32_t create(const fc_options *options, const char *label, const os_file_state *file,
                      cache *c, fc_report *report) {
    if (options->size_bytes == 0)
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "%s does not exist yet, and creating it takes a size; give one of at "
                           "least %u bytes",
                           label, FC_SIZE_MIN);
    int32_t status = geometry_choose(options, os_processors(), &c->geometry, report);
    if (status != FC_OK) return status;
    uint64_t seed;
    if (!os_random(&seed, sizeof seed))
        return report_fail(report, FC_NO_SPACE, "the system's random source gives no bytes");

    const uint64_t size = c->geometry.size_bytes;
    status = reserve(c->fd, size, label, file, report);
    if (status != FC_OK) return status;
    void *base;
    os_error error = os_map(c->fd, size, &c->lost, &base);
    if (error) return fail_os(report, "map", label, error);
    c->base = base;

    superblock *block = cache_superblock(c);
    superblock_write(block, options, &c->geometry, seed);
    seal_begin(block, file);
    for (uint32_t i = 0; i < c->geometry.shards; i++) shard_initialise(c, i);
    store_u32_release(&block->state, STATE_READY);
    c->hash_seed = seed;
    adopt_policy(c, block->eviction);
    return FC_OK;
}

/* --------------------------------------------------------------- attaching */

/* The same segment once more, empty. */
static int32_t create_anew(const superblock *block, const char *label, const os_file_state *file,
                           cache *c, fc_report *report) {
    const fc_options same = {.shards = block->shards,
                             .eviction = block->eviction,
                             .size_bytes = block->size_bytes,
                             .max_entries = block->max_entries,
                             .value_len_max = block->value_len_max};
    os_unmap(c->base, block->size_bytes);
    c->base = NULL;
    return create(&same, label, file, c, report);
}

static int32_t attach(const fc_options *options, const char *label, const os_file_state *file,
                      cache *c, bool *created, fc_report *report) {
    superblock block;
    os_error error = os_file_read(c->fd, 0, &block, sizeof block);
    if (error) return fail_os(report, "read", label, error);
    int32_t status = superblock_validate(&block, file->size_bytes, &c->geometry, report);
    if (status == FC_OK) status = superblock_agree(&block, options, report);
    if (status != FC_OK) return status;
    void *base;
    error = os_map(c->fd, block.size_bytes, &c->lost, &base);
    if (error) return fail_os(report, "map", label, error);
    c->base = base;
    c->hash_seed = block.hash_seed;
    adopt_policy(c, block.eviction);
    bool trusted;
    status = seal_open(c, file, attended(c->fd), &trusted, report);
    if (status != FC_OK || trusted) return status;
    *created = true;
    return create_anew(&block, label, file, c, report);
}

/* Does the file hold a segment, or nothing, or somebody else's bytes? */
static int32_t content_state(int fd, const os_file_state *file, const char *label,
                             enum segment_state *state, fc_report *report) {
    *state = STATE_ABSENT;
    if (file->size_bytes == 0) return FC_OK;
    superblock block = {0};
    os_error error =
        file->size_bytes < sizeof block ? 0 : os_file_read(fd, 0, &block, sizeof block);
    if (error) return fail_os(report, "read", label, error);
    if (block.magic != LAYOUT_MAGIC)
        return report_fail(report, FC_CORRUPT,
                           "%s is not a fastcache segment (%" PRIu64
                           " bytes of something else); choose another name or path",
                           label, file->size_bytes);
    *state = block.state == STATE_CREATING ? STATE_CREATING : STATE_READY;
    return FC_OK;
}

/* With the creation lock held on c->fd. */
static int32_t create_or_attach(const fc_options *options, const char *label, cache *c,
                                bool *created, fc_report *report) {
    os_file_state file;
    int32_t status = ownership_check(c->fd, label, &file, report);
    if (status != FC_OK) return status;
    enum segment_state state;
    status = content_state(c->fd, &file, label, &state, report);
    if (status != FC_OK) return status;
    if (state == STATE_READY) {
        if (options->create == FC_CREATE_EXCLUSIVE)
            return report_fail(
                report, FC_EXISTS,
                "%s exists already; attach to it, destroy it, or choose another name", label);
        return attach(options, label, &file, c, created, report);
    }
    if (options->create == FC_ATTACH || options->kind == FC_KIND_FD) {
        /* A creator that was killed, for want of memory perhaps, holds it as long as this is here:
         * it is removed as if it were ours. */
        *created = state == STATE_CREATING && !attended(c->fd);
        return report_fail(report, FC_NOT_FOUND,
                           "there is no segment %s; create it, or check the name", label);
    }
    if (attended(c->fd))
        return report_fail(
            report, FC_CORRUPT,
            "%s was cut short or overwritten while a process is attached to it; close "
            "it there, or remove the file",
            label);
    *created = true;
    return create(options, label, &file, c, report);
}

/* ----------------------------------------------------------------- opening */

static int32_t options_check(const fc_options *o, fc_report *report) {
    if (o->struct_size != sizeof *o)
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "fc_options has %" PRIu32 " bytes, this library expects %zu; use the "
                           "header of this library",
                           o->struct_size, sizeof *o);
    if (o->kind > FC_KIND_FD || o->create > FC_CREATE_EXCLUSIVE || o->reserved != 0)
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "kind %" PRIu32 ", create %" PRIu32 " or reserved %" PRIu32
                           " is out of range",
                           o->kind, o->create, o->reserved);
    if (o->eviction != FC_EVICTION_DEFAULT && !eviction_policy_of(o->eviction))
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "eviction policy number %" PRIu32
                           " is unknown; use %d (lru) or %d (s3-fifo)",
                           o->eviction, FC_EVICTION_LRU, FC_EVICTION_S3FIFO);
    if (o->kind == FC_KIND_PRIVATE && o->create == FC_ATTACH)
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "a private segment can only be created; to attach to one, pass its "
                           "descriptor");
    return FC_OK;
}

static void abandon(cache *c, const char *created_path) {
    if (c->base) os_unmap(c->base, c->geometry.size_bytes);
    if (created_path) os_file_unlink(created_path);
    os_file_close(c->fd);
    c->base = NULL;
}

/* One attempt on an open file; *again if its name went away before we had the lock. */
static int32_t open_locked(const fc_options *options, const target *t, cache *c, bool *again,
                           fc_report *report) {
    const bool named = options->kind == FC_KIND_SHM || options->kind == FC_KIND_FILE;
    bool created = false;
    os_file_state file;
    int32_t status = ownership_check(c->fd, t->label, &file, report);
    if (status == FC_OK) {
        c->sealed_when_left = options->kind == FC_KIND_FILE || !file.in_memory;
        const uint64_t wait_us = patience_us(&file, options->size_bytes);
        status = creation_lock(c->fd, wait_us, t->label, report);
    }
    if (status == FC_OK && named) {
        status = ownership_check(c->fd, t->label, &file, report);
        *again = status == FC_OK && !file.linked;
    }
    if (status == FC_OK && !*again)
        status = create_or_attach(options, t->label, c, &created, report);
    if (status == FC_OK && !*again) status = process_attach(c, report);
    if (status != FC_OK || *again) {
        abandon(c, created && named ? t->path : NULL);
        return status;
    }
    os_byte_unlock(c->fd, CREATION_LOCK_OFFSET);
    if (report) report->created = created;
    return FC_OK;
}

static int32_t open_file(const fc_options *options, target *t, int *fd, fc_report *report) {
    os_error error;
    switch (options->kind) {
    case FC_KIND_PRIVATE:
        t->label = "private memory";
        error = os_file_anonymous(fd);
        return error ? fail_os(report, "make", t->label, error) : FC_OK;
    case FC_KIND_FD:
        t->label = "the inherited descriptor";
        error = os_file_reopen(options->fd, fd);
        return error ? fail_os(report, "reopen", t->label, error) : FC_OK;
    default:
        break;
    }
    error = os_file_open(t->path, options->create != FC_ATTACH, fd);
    if (!error) return FC_OK;
    const bool missing = os_error_status(error) == FC_NOT_FOUND;
    const char *problem = options->kind == FC_KIND_SHM ? os_shared_memory_problem() : NULL;
    if (problem) {
        const bool cannot_be_made = missing && options->create != FC_ATTACH;
        return report_fail(report, cannot_be_made ? FC_NO_SPACE : os_error_status(error),
                           "cannot open %s: %s", t->label, problem);
    }
    if (missing && options->create == FC_ATTACH)
        return report_fail(report, FC_NOT_FOUND,
                           "there is no segment %s; create it, or check the name", t->label);
    return fail_os(report, "open", t->label, error);
}

int32_t segment_open(const fc_options *options, const char *name, uint32_t name_len, cache *c,
                     fc_report *report) {
    memset(c, 0, sizeof *c);
    target t = {.label = ""};
    int32_t status = options_check(options, report);
    if (status == FC_OK && options->create != FC_ATTACH && options->kind != FC_KIND_FD &&
        options->size_bytes) {
        /* Say so before anything is touched. */
        status = geometry_choose(options, os_processors(), &c->geometry, report);
    }
    if (status == FC_OK && (options->kind == FC_KIND_SHM || options->kind == FC_KIND_FILE))
        status = target_resolve(options->kind, name, name_len, &t, report);
    c->kind = options->kind;
    bool again = status == FC_OK;
    while (again) {
        again = false;
        status = open_file(options, &t, &c->fd, report);
        if (status == FC_OK) status = open_locked(options, &t, c, &again, report);
    }
    if (status != FC_OK) return status;
    if (os_file_reopen(c->fd, &c->shared_fd) != 0) c->shared_fd = -1;
    c->clock_base_ms = cache_superblock(c)->clock_base_ms;
    c->lock_wait_ms = options->lock_wait_ms ? options->lock_wait_ms : 1000;
    return FC_OK;
}

/* The last user leaves the file whole. Who is told last that nobody else is attached? The creation
 * lock decides: it is let go together with the slot, when c->fd is closed. Before it is taken the
 * bulk is written back, so that others who come meanwhile need not wait for that. */
static void leave_file(const cache *c) {
    os_file_state file;
    if (os_file_state_get(c->fd, &file) != 0 || !file.linked) return; /* nobody will come */
    if (!attended(c->fd)) (void)os_file_sync(c->fd); /* seal_close does it again, and heeds it */
    if (creation_lock(c->fd, CLOSE_WAIT_US, "", NULL) != FC_OK) return;
    if (!attended(c->fd)) seal_close(c);
}

void segment_close(cache *c) {
    clock_remember(c);
    if (c->sealed_when_left) leave_file(c);
    os_unmap(c->base, c->geometry.size_bytes);
    if (c->shared_fd >= 0) os_file_close(c->shared_fd);
    os_file_close(c->fd); /* frees the slot: the kernel drops its byte lock */
    c->base = NULL;
}

/* ----------------------------------------------------------------- removal */

int32_t segment_destroy(uint32_t kind, const char *name, uint32_t name_len, fc_report *report) {
    if (kind != FC_KIND_SHM && kind != FC_KIND_FILE)
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "kind %" PRIu32 " has no name to remove; close its handles instead",
                           kind);
    target t;
    int32_t status = target_resolve(kind, name, name_len, &t, report);
    if (status != FC_OK) return status;
    int fd;
    os_error error = os_file_open(t.path, false, &fd);
    if (os_error_status(error) == FC_NOT_FOUND)
        return report_fail(report, FC_NOT_FOUND, "there is no segment %s", t.label);
    if (error) return fail_os(report, "open", t.label, error);
    os_file_state file;
    enum segment_state state;
    status = ownership_check(fd, t.label, &file, report);
    if (status == FC_OK) status = creation_lock(fd, patience_us(&file, 0), t.label, report);
    if (status == FC_OK) status = ownership_check(fd, t.label, &file, report);
    if (status == FC_OK) status = content_state(fd, &file, t.label, &state, report);
    if (status == FC_OK && file.linked) {
        error = os_file_unlink(t.path);
        if (error) status = fail_os(report, "remove", t.label, error);
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
    if (list->len + len + 1 <= list->capacity) {
        memcpy(list->buffer + list->len, name, len);
        list->buffer[list->len + len] = '\n';
    }
    list->len += len + 1;
}

int32_t segment_list(char *buffer, uint32_t capacity) {
    name_list list = {.buffer = buffer, .capacity = capacity};
    os_error error = os_shared_memory_list(LAYOUT_VERSION, name_append, &list);
    if (error) return os_error_status(error);
    return list.len > INT32_MAX ? FC_NO_SPACE : (int32_t)list.len;
}
