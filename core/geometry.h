/* SPDX-License-Identifier: MIT
 *
 * geometry.h owns the arithmetic from options to sizes and offsets. Pure: the same
 * size, shards and limits give the same geometry on every machine, so an attaching
 * process can recompute the creator's and compare.
 */
#ifndef FC_GEOMETRY_H
#define FC_GEOMETRY_H

#include "include/fastcache.h"
#include "layout.h"

typedef struct geometry {
    uint64_t size_bytes;
    uint64_t max_entries; /* of the segment; 0 for no cap */
    uint64_t value_len_max;
    uint64_t shards_offset; /* in the segment */
    uint64_t shard_stride;
    uint64_t tags_offset; /* in the segment */
    uint64_t tag_slots;
    uint64_t lives_offset; /* this and the next three: within a shard */
    uint64_t states_offset;
    uint64_t stamps_offset;
    uint64_t extents_offset;
    uint64_t shard_data_bytes;  /* extents * extent_bytes */
    uint64_t shard_entries_max; /* ceil(max_entries / shards), or 2^64 - 1 */
    uint32_t shards;
    uint32_t slots;
    uint32_t extents;
    uint32_t extent_bytes;
    uint32_t extent_shift;
    uint32_t buckets_per_extent_shift;
    uint32_t buckets_max;
    uint32_t lease_lines; /* per shard, as stamps */
    uint32_t stamps;
    uint32_t tail_split_min; /* shorter tails of extents are left unused */
} geometry;

/* Most process slots that a segment of any size has. */
#define GEOMETRY_SLOTS_MAX 1024u

#define SHARD_LEASES_OFFSET (sizeof(shard_header) + STASH_BUCKETS * sizeof(bucket))

/* Geometry for a given number of shards; value_len_max and max_entries may be 0 for
 * "as much as fits". FC_INVALID_ARGUMENT with the limits in the report. */
int32_t geometry_resolve(uint64_t size_bytes, uint32_t shards, uint64_t value_len_max,
                         uint64_t max_entries, geometry *out, fc_report *report);

/* The same from a creator's options, where `shards` 0 asks for a good number of
 * shards for that size and so many processors. */
int32_t geometry_choose(const fc_options *options, uint32_t processors, geometry *out,
                        fc_report *report);

#endif
