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
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "os/os.h"
#include "place.h"
#include "process.h"
#include "report.h"
#include "seal.h"
#include "superblock.h"

#define CLOSE_WAIT_US 1000000ull
#define REPLACE_AGAIN_MS 60000u

/* ---------------------------------------------------------------- creation */

static int32_t fail_reserve(int fd, uint64_t size_bytes, const char *label, os_error error,
                            fc_report *report) {
    if (os_error_status(error) != FC_NO_SPACE) return place_fail(report, "reserve", label, error);
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

static int32_t map_segment(cache *c, uint64_t size_bytes, const char *label, fc_report *report) {
    attachment *own = calloc(1, sizeof *own);
    if (!own) return report_fail(report, FC_NO_SPACE, "no memory for a handle");
    void *base;
    os_error error = os_map(c->fd, size_bytes, &own->lost, &base);
    if (error) {
        free(own);
        return place_fail(report, "map", label, error);
    }
    c->attachment = own;
    c->lost = &own->lost;
    c->base = base;
    return FC_OK;
}

static void unmap_segment(cache *c, uint64_t size_bytes) {
    if (!c->base) return;
    os_unmap(c->base, size_bytes);
    free(c->attachment);
    c->base = NULL;
    c->attachment = NULL;
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
    status = map_segment(c, size, label, report);
    if (status != FC_OK) return status;

    superblock *block = cache_superblock(c);
    superblock_write(block, options, &c->geometry, seed);
    seal_begin(block, file);
    for (uint32_t i = 0; i < c->geometry.shards; i++) shard_initialise(c, i);
    store_u32_release(&block->state, STATE_READY);
    c->hash_seed = seed;
    adopt_policy(c, block->eviction);
    return FC_OK;
}

/* The same segment once more, empty. */
static int32_t create_anew(const superblock *block, const char *label, const os_file_state *file,
                           cache *c, fc_report *report) {
    const fc_options same = {.shards = block->shards,
                             .eviction = block->eviction,
                             .size_bytes = block->size_bytes,
                             .max_entries = block->max_entries,
                             .value_len_max = block->value_len_max};
    unmap_segment(c, block->size_bytes);
    return create(&same, label, file, c, report);
}

/* Lets the creation lock go, too, if a process that was forked just now has a copy of `fd`. */
static void close_file(int fd) {
    os_byte_unlock(fd, CREATION_LOCK_OFFSET);
    os_file_close(fd);
}

/* Undoes what was done so far, also on disk if `created_path`. */
static void abandon(cache *c, const char *created_path) {
    unmap_segment(c, c->geometry.size_bytes);
    if (created_path) os_file_unlink(created_path);
    close_file(c->fd);
}

/* --------------------------------------------------------------- replacing */

/* Did `old` take another's place a moment ago? Says so behind what the report says of the mismatch.
 * Later than that, or after a boot, nobody asks. */
static int32_t brake(const superblock *old, fc_report *report) {
    if (old->layout_version != LAYOUT_VERSION || old->replacement_ms == 0) return FC_OK;
    const uint64_t age_ms = os_uptime_ms() + old->clock_base_ms - old->replacement_ms;
    if (age_ms >= REPLACE_AGAIN_MS) return FC_OK;
    fc_report mismatch = *report;
    return report_fail(report, FC_LAYOUT_MISMATCH,
                       "%s. It is not replaced: it took another segment's place %" PRIu64
                       " ms ago, and is left alone for %u ms, so that programs which ask for "
                       "different ones do not take turns",
                       mismatch.message, age_ms, REPLACE_AGAIN_MS);
}

static int32_t create_replacement(const fc_options *options, const target *t,
                                  const os_file_state *file, cache *c, fc_report *report) {
    int32_t status = create(options, t->label, file, c, report);
    if (status != FC_OK) return status;
    superblock *block = cache_superblock(c);
    store_u64_relaxed(&block->replacement_ms, os_uptime_ms() + block->clock_base_ms);
    return FC_OK;
}

/* Makes a new segment beside the one that c->fd is, then gives it its name. That one's creation
 * lock is held until then: whoever waits for it sees that it has no name any more. */
static int32_t create_beside(const fc_options *options, const target *t, cache *c,
                             fc_report *report) {
    target beside;
    if (!place_beside(t, &beside))
        return report_fail(report, FC_INVALID_ARGUMENT, "the path %s is too long", t->path);
    const int old_fd = c->fd;
    os_error error = os_file_open(beside.path, true, &c->fd);
    if (error) {
        c->fd = old_fd;
        return place_fail(report, "make", beside.path, error);
    }
    os_file_state file;
    enum segment_state state;
    int32_t status = place_check_owner(c->fd, beside.path, &file, report);
    if (status == FC_OK) status = place_content(c->fd, &file, beside.path, &state, report);
    const bool ours = status == FC_OK;
    if (status == FC_OK) status = place_lock(c->fd, 0, beside.path, report);
    if (status == FC_OK) status = create_replacement(options, t, &file, c, report);
    if (status == FC_OK) {
        error = os_file_rename(beside.path, t->path);
        if (error) status = place_fail(report, "replace", t->path, error);
    }
    if (status == FC_OK) {
        close_file(old_fd);
        return FC_OK;
    }
    abandon(c, ours ? beside.path : NULL);
    c->fd = old_fd;
    return status;
}

/* `old` does not agree with the options; the report says why. Where there is no room for two,
 * nobody is attached, and the new one is no larger, the old one's file is used: its memory is
 * certain. Else the old one stays as it is. */
static int32_t replace(const fc_options *options, const target *t, const os_file_state *file,
                       const superblock *old, cache *c, bool *created, fc_report *report) {
    int32_t status = brake(old, report);
    if (status != FC_OK) return status;
    report_clear(report);
    status = create_beside(options, t, c, report);
    *created = status == FC_OK;
    if (status != FC_NO_SPACE || options->size_bytes > file->size_bytes || place_attended(c->fd))
        return status;
    report_clear(report);
    *created = true;
    return create_replacement(options, t, file, c, report);
}

/* --------------------------------------------------------------- attaching */

/* Uses what this thread has attached already, in place of the file just opened, with whose
 * closing the creation lock goes. */
static void share(cache *c, attachment *present) {
    close_file(c->fd);
    c->attachment = present;
    c->lost = &present->lost;
    c->base = present->base;
    c->fd = present->fd;
    c->shared_fd = present->shared_fd;
    c->slot_index = present->slot_index;
    c->slot = cache_slot(c, present->slot_index);
    c->owner = present->owner;
}

/* Takes a slot, and lets the thread's next handles share it. */
static int32_t enter(cache *c, fc_report *report) {
    attachment *own = c->attachment;
    os_file_state file;
    os_error error = os_file_state_get(c->fd, &file);
    if (error) return place_fail(report, "inspect", "the segment", error);
    int32_t status = process_attach(c, report);
    if (status != FC_OK) return status;
    if (os_file_reopen(c->fd, &c->shared_fd) != 0) c->shared_fd = -1;
    own->device = file.device;
    own->inode = file.inode;
    own->base = c->base;
    own->size_bytes = c->geometry.size_bytes;
    own->fd = c->fd;
    own->shared_fd = c->shared_fd;
    own->slot_index = c->slot_index;
    own->owner = c->owner;
    attachment_add(own);
    return FC_OK;
}

static int32_t attach(const fc_options *options, const target *t, const os_file_state *file,
                      cache *c, bool *created, fc_report *report) {
    superblock block;
    os_error error = os_file_read(c->fd, 0, &block, sizeof block);
    if (error) return place_fail(report, "read", t->label, error);
    int32_t status = superblock_validate(&block, file->size_bytes, &c->geometry, report);
    if (status == FC_OK && options->on_mismatch != FC_MISMATCH_ATTACH)
        status = superblock_agree(&block, options, report);
    if (status == FC_LAYOUT_MISMATCH && options->on_mismatch == FC_MISMATCH_REPLACE)
        return replace(options, t, file, &block, c, created, report);
    if (status != FC_OK) return status;
    c->hash_seed = block.hash_seed;
    adopt_policy(c, block.eviction);
    attachment *present = attachment_join(file->device, file->inode, block.size_bytes);
    if (present) {
        share(c, present);
        return FC_OK;
    }
    status = map_segment(c, block.size_bytes, t->label, report);
    if (status != FC_OK) return status;
    bool trusted;
    status = seal_open(c, file, place_attended(c->fd), &trusted, report);
    if (status != FC_OK || trusted) return status;
    *created = true;
    return create_anew(&block, t->label, file, c, report);
}

/* With the creation lock held on c->fd. */
static int32_t create_or_attach(const fc_options *options, const target *t, cache *c, bool *created,
                                fc_report *report) {
    const char *label = t->label;
    os_file_state file;
    int32_t status = place_check_owner(c->fd, label, &file, report);
    if (status != FC_OK) return status;
    enum segment_state state;
    status = place_content(c->fd, &file, label, &state, report);
    if (status != FC_OK) return status;
    if (state == STATE_READY) {
        if (options->create == FC_CREATE_EXCLUSIVE)
            return report_fail(
                report, FC_EXISTS,
                "%s exists already; attach to it, destroy it, or choose another name", label);
        return attach(options, t, &file, c, created, report);
    }
    if (options->create == FC_ATTACH || options->kind == FC_KIND_FD) {
        /* A creator that was killed, for want of memory perhaps, holds it as long as this is here:
         * it is removed as if it were ours. */
        *created = state == STATE_CREATING && !place_attended(c->fd);
        return report_fail(report, FC_NOT_FOUND,
                           "there is no segment %s; create it, or check the name", label);
    }
    if (place_attended(c->fd))
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
    if (o->kind > FC_KIND_FD || o->create > FC_CREATE_EXCLUSIVE ||
        o->on_mismatch > FC_MISMATCH_REPLACE)
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "kind %" PRIu32 ", create %" PRIu32 " or on_mismatch %" PRIu32
                           " is out of range",
                           o->kind, o->create, o->on_mismatch);
    if (o->on_mismatch == FC_MISMATCH_REPLACE &&
        (o->size_bytes == 0 || o->create == FC_ATTACH || o->kind == FC_KIND_FD))
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "to replace a segment is to create one under its name: that takes a "
                           "size, a name or path, and leave to create");
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

/* One attempt on an open file; *again if its name went away before we had the lock. */
static int32_t open_locked(const fc_options *options, const target *t, cache *c, bool *again,
                           fc_report *report) {
    const bool named = options->kind == FC_KIND_SHM || options->kind == FC_KIND_FILE;
    bool created = false;
    os_file_state file;
    int32_t status = place_check_owner(c->fd, t->label, &file, report);
    if (status == FC_OK) {
        c->named = file.linked;
        c->sealed_when_left = options->kind == FC_KIND_FILE || !file.in_memory;
        const uint64_t wait_us = place_patience_us(&file, options->size_bytes);
        status = place_lock(c->fd, wait_us, t->label, report);
    }
    if (status == FC_OK && named) {
        status = place_check_owner(c->fd, t->label, &file, report);
        *again = status == FC_OK && !file.linked;
        if (status == FC_OK && !*again && !place_attended(c->fd)) place_sweep(t);
    }
    if (status == FC_OK && !*again) status = create_or_attach(options, t, c, &created, report);
    const bool shared = c->attachment && c->attachment->handles > 0;
    if (status == FC_OK && !*again && !shared) status = enter(c, report);
    if (status != FC_OK || *again) {
        abandon(c, created && named ? t->path : NULL);
        return status;
    }
    if (!shared) os_byte_unlock(c->fd, CREATION_LOCK_OFFSET);
    if (report) report->created = created;
    return FC_OK;
}

static int32_t open_file(const fc_options *options, target *t, int *fd, fc_report *report) {
    os_error error;
    switch (options->kind) {
    case FC_KIND_PRIVATE:
        t->label = "private memory";
        error = os_file_anonymous(fd);
        return error ? place_fail(report, "make", t->label, error) : FC_OK;
    case FC_KIND_FD:
        t->label = "the inherited descriptor";
        error = os_file_reopen(options->fd, fd);
        return error ? place_fail(report, "reopen", t->label, error) : FC_OK;
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
    if (missing)
        return report_fail(report, FC_NOT_FOUND,
                           "cannot create %s: its directory does not exist; make it first",
                           t->label);
    return place_fail(report, "open", t->label, error);
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
        status = place_resolve(options->kind, name, name_len, &t, report);
    c->kind = options->kind;
    bool again = status == FC_OK;
    while (again) {
        again = false;
        status = open_file(options, &t, &c->fd, report);
        if (status == FC_OK) status = open_locked(options, &t, c, &again, report);
    }
    if (status != FC_OK) return status;
    c->clock_base_ms = cache_superblock(c)->clock_base_ms;
    c->lock_wait_ms = options->lock_wait_ms ? options->lock_wait_ms : 1000;
    return FC_OK;
}

/* The last user leaves the file whole. Who is told last that nobody else is attached? The creation
 * lock decides: it is let go right after the slot, by segment_close. Before it is taken the
 * bulk is written back, so that others who come meanwhile need not wait for that. */
static void leave_file(const cache *c) {
    os_file_state file;
    if (os_file_state_get(c->fd, &file) != 0 || !file.linked) return; /* nobody will come */
    if (!place_attended(c->fd))
        (void)os_file_sync(c->fd); /* seal_close does it again, and heeds it */
    if (place_lock(c->fd, CLOSE_WAIT_US, "", NULL) != FC_OK) return;
    if (!place_attended(c->fd)) seal_close(c);
}

void segment_close(cache *c) {
    if (!attachment_leave(c->attachment)) return;
    clock_remember(c);
    if (c->sealed_when_left) leave_file(c);
    if (c->shared_fd >= 0) os_file_close(c->shared_fd);
    const int fd = c->fd;
    unmap_segment(c, c->geometry.size_bytes);
    os_byte_unlock(fd, SLOT_LOCK_OFFSET + c->slot_index);
    close_file(fd);
}
