/* SPDX-License-Identifier: MIT
 *
 * seal.c: see seal.h.
 *
 * A system that loses its power has written some pages of a file back and others not, each as it
 * was at some time; a copy that was made in use is no better. So content counts only
 *
 *   1. in the boot in which it was written, in the same file: the page cache has all of it, however
 *      its users ended; or
 *   2. under an unbroken seal: superblock.clean is a hash of all that is in use. The last user
 *      writes everything back, then the seal, then writes it back too. The next user breaks it, on
 *      the disk too, before anything else is written.
 *
 * The order alone would do for a power loss. The hash is there for what keeps no order: a copy that
 * was begun before the next user came and ended later, a disk that tells of writes too early.
 */
#include "seal.h"

#include "clock.h"
#include "hash.h"
#include "report.h"

bool seal_judges(uint32_t kind, const os_file_state *file) {
    return kind == FC_KIND_FILE || kind == FC_KIND_SHM || !file->in_memory;
}

/* Never 0, which is no seal. Page 0 is left out: the parts that matter have a checksum, and what
 * changes lies in one sector with the seal. So are free extents: nobody reads what is in them. */
static uint64_t content_hash(const cache *c) {
    const geometry *g = &c->geometry;
    uint64_t hash = fc_hash(c->base + SEGMENT_PAGE, g->shards_offset - SEGMENT_PAGE, c->hash_seed);
    for (uint32_t i = 0; i < g->shards; i++) {
        const uint8_t *shard = c->base + g->shards_offset + i * g->shard_stride;
        const extent_state *states = (const extent_state *)(shard + g->states_offset);
        hash = fc_hash(shard, g->extents_offset, hash);
        for (uint32_t e = 0; e < g->extents; e++)
            if (states[e].kind != EXTENT_FREE)
                hash = fc_hash(shard + g->extents_offset + (uint64_t)e * g->extent_bytes,
                               g->extent_bytes, hash);
    }
    return hash ? hash : 1;
}

static void note_use(superblock *block, const os_file_state *file) {
    store_u64_relaxed(&block->file_device, file->device);
    store_u64_relaxed(&block->file_inode, file->inode);
    store_u64_relaxed(&block->file_birth_ns, file->birth_ns);
}

void seal_begin(superblock *block, const os_file_state *file) {
    clock_begin(block);
    note_use(block, file);
}

static bool same_file(const superblock *block, const os_file_state *file) {
    return block->file_device == file->device && block->file_inode == file->inode &&
           block->file_birth_ns == file->birth_ns;
}

static int32_t seal_break(const cache *c, fc_report *report) {
    superblock *block = cache_superblock(c);
    if (block->clean == 0) return FC_OK;
    store_u64_relaxed(&block->clean, 0);
    os_error error = os_file_sync(c->fd);
    if (!error) return FC_OK;
    return report_fail(report, os_error_status(error),
                       "cannot write the segment's file: %s; nothing of it was used",
                       os_error_text(error));
}

int32_t seal_open(cache *c, const os_file_state *file, bool attended, bool *trusted,
                  fc_report *report) {
    superblock *block = cache_superblock(c);
    const uint64_t boot_id = os_boot_id();
    const bool known = boot_id != 0 && block->boot_id != 0;
    bool same_boot = known ? block->boot_id == boot_id : file->in_memory || attended;
    if (!seal_judges(c->kind, file) || (attended && file->in_memory)) {
        same_boot = *trusted = true;
    } else if (attended) {
        if (!same_boot)
            return report_fail(report, FC_INVALID_ARGUMENT,
                               "the segment's file is in use in another boot, by another machine "
                               "perhaps; use one on a file system of this machine");
        *trusted = true;
    } else {
        *trusted = (same_boot && same_file(block, file)) ||
                   (block->clean != 0 && block->clean == content_hash(c));
    }
    if (!*trusted) return FC_OK;
    int32_t status = seal_break(c, report);
    if (status != FC_OK) return status;
    clock_resume(block, !same_boot);
    note_use(block, file);
    return FC_OK;
}

void seal_close(const cache *c) {
    if (cache_lost(c)) return;
    superblock *block = cache_superblock(c);
    const uint64_t hash = content_hash(c);
    if (os_file_sync(c->fd) != 0 || cache_lost(c)) return;
    store_u64_release(&block->clean, hash);
    if (os_file_sync(c->fd) != 0) store_u64_relaxed(&block->clean, 0);
}
