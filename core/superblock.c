/* SPDX-License-Identifier: MIT
 *
 * superblock.c: see superblock.h.
 */
#include "superblock.h"

#include <inttypes.h>

#include "evict.h"
#include "hash.h"
#include "report.h"

/* Over all that never changes after creation; `state` counts as 0. */
static uint64_t checksum(const superblock *block) {
    superblock fixed = *block;
    fixed.state = 0;
    return fc_hash(&fixed, offsetof(superblock, checksum), LAYOUT_MAGIC);
}

void superblock_write(superblock *block, const fc_options *options, const geometry *g,
                      uint64_t seed) {
    block->magic = LAYOUT_MAGIC;
    block->byte_order = LAYOUT_BYTE_ORDER;
    block->layout_version = LAYOUT_VERSION;
    block->eviction = options->eviction ? options->eviction : FC_EVICTION_LRU;
    block->size_bytes = g->size_bytes;
    block->max_entries = g->max_entries;
    block->value_len_max = g->value_len_max;
    block->shards = g->shards;
    block->slots = g->slots;
    block->extents = g->extents;
    block->extent_bytes = g->extent_bytes;
    block->shards_offset = g->shards_offset;
    block->shard_stride = g->shard_stride;
    block->extents_offset = g->extents_offset;
    block->hash_seed = seed;
    block->checksum = checksum(block);
}

static bool same_geometry(const superblock *block, const geometry *g) {
    return block->size_bytes == g->size_bytes && block->slots == g->slots &&
           block->extents == g->extents && block->extent_bytes == g->extent_bytes &&
           block->shards_offset == g->shards_offset && block->shard_stride == g->shard_stride &&
           block->extents_offset == g->extents_offset;
}

int32_t superblock_validate(const superblock *block, uint64_t file_bytes, geometry *g,
                            fc_report *report) {
    if (block->byte_order != LAYOUT_BYTE_ORDER)
        return report_fail(report, FC_LAYOUT_MISMATCH,
                           "the segment's byte order mark is %08" PRIx32
                           ", this machine's is %08" PRIx32 "; destroy it and create it here",
                           block->byte_order, LAYOUT_BYTE_ORDER);
    if (block->layout_version != LAYOUT_VERSION)
        return report_fail(report, FC_LAYOUT_MISMATCH,
                           "the segment has layout version %" PRIu32
                           ", this library has version %u; use one version of fastcache in all "
                           "processes, or destroy the segment",
                           block->layout_version, LAYOUT_VERSION);
    if (block->checksum != checksum(block))
        return report_fail(report, FC_CORRUPT,
                           "the segment's superblock is damaged: its checksum is %016" PRIx64
                           ", its content gives %016" PRIx64 "; destroy the segment",
                           block->checksum, checksum(block));
    if (block->state != STATE_READY)
        return report_fail(report, FC_CORRUPT,
                           "the segment's state is %" PRIu32 ", not %d; destroy the segment",
                           block->state, STATE_READY);
    if (block->features_incompatible & ~FEATURES_INCOMPATIBLE_KNOWN)
        return report_fail(report, FC_LAYOUT_MISMATCH,
                           "the segment uses features %016" PRIx64
                           ", this library knows %016" PRIx64
                           "; use one version of fastcache in all processes",
                           block->features_incompatible, (uint64_t)FEATURES_INCOMPATIBLE_KNOWN);
    if (block->size_bytes != file_bytes)
        return report_fail(report, FC_CORRUPT,
                           "the segment was created with %" PRIu64
                           " bytes, but its file has %" PRIu64 "; destroy the segment",
                           block->size_bytes, file_bytes);
    if (!eviction_policy_of(block->eviction))
        return report_fail(report, FC_LAYOUT_MISMATCH,
                           "the segment's eviction policy is number %" PRIu32
                           ", this library knows %d and %d",
                           block->eviction, FC_EVICTION_LRU, FC_EVICTION_S3FIFO);
    fc_report why;
    report_clear(&why);
    int32_t status = geometry_resolve(block->size_bytes, block->shards, block->value_len_max,
                                      block->max_entries, g, &why);
    if (status != FC_OK)
        return report_fail(report, FC_CORRUPT, "the segment's geometry is impossible: %s",
                           why.message);
    if (!same_geometry(block, g))
        return report_fail(report, FC_LAYOUT_MISMATCH,
                           "the segment has %" PRIu32 " extents of %" PRIu32
                           " bytes per shard, this library makes %" PRIu32 " of %" PRIu32
                           "; use one version of fastcache in all processes",
                           block->extents, block->extent_bytes, g->extents, g->extent_bytes);
    return FC_OK;
}

static int32_t disagree(fc_report *report, const char *what, uint64_t asked, uint64_t has) {
    return report_fail(report, FC_LAYOUT_MISMATCH,
                       "%s is asked to be %" PRIu64 ", but the segment has %" PRIu64
                       "; ask for the same, leave the option out, set onMismatch, or destroy the "
                       "segment",
                       what, asked, has);
}

int32_t superblock_agree(const superblock *block, const fc_options *options, fc_report *report) {
    uint64_t size = options->size_bytes & ~(uint64_t)(SEGMENT_PAGE - 1);
    if (options->size_bytes && size != block->size_bytes)
        return disagree(report, "size", options->size_bytes, block->size_bytes);
    if (options->shards && options->shards != block->shards)
        return disagree(report, "shards", options->shards, block->shards);
    if (options->max_entries && options->max_entries != block->max_entries)
        return disagree(report, "maxEntries", options->max_entries, block->max_entries);
    if (options->value_len_max && options->value_len_max != block->value_len_max)
        return disagree(report, "maxValueSize", options->value_len_max, block->value_len_max);
    if (options->eviction && options->eviction != block->eviction)
        return report_fail(report, FC_LAYOUT_MISMATCH,
                           "eviction is asked to be %s, but the segment has %s; ask for the "
                           "same, leave the option out, set onMismatch, or destroy the segment",
                           eviction_policy_of(options->eviction)->name,
                           eviction_policy_of(block->eviction)->name);
    return FC_OK;
}
