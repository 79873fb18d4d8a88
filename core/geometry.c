/* SPDX-License-Identifier: MIT
 *
 * geometry.c: see geometry.h.
 *
 *   extent_bytes   E = largest power of two <= shard / 256, 4096 to 256 Ki,
 *                  so that a shard has 256 to 511 extents (128 to 255 in small segments)
 *   value_len_max  <= N E / 4: one value never displaces more than a quarter of its shard
 */
#include "geometry.h"

#include <inttypes.h>

#include "report.h"

/* Shards begin at different lines of their pages: in the same one, the headers of all of them,
 * which every operation looks at, would compete for the same few places of the processor's first
 * cache. */
#define SHARD_STAGGER (5 * CACHE_LINE)
#define EXTENT_BYTES_MIN 4096u
#define EXTENT_BYTES_MAX (256u << 10)
#define EXTENTS_TARGET 256u
#define EXTENTS_MIN 128u
#define VALUE_LEN_LIMIT (1ull << 30)
#define SLOTS_SMALL 256u
#define SLOTS_LARGE GEOMETRY_SLOTS_MAX
#define SMALL_SEGMENT_BYTES (64ull << 20)
#define SIZE_LIMIT (1ull << 41) /* what an index word can tell apart in one shard */

/* Default sharding: a shard of about 16 MiB, four shards per processor, none under that. */
#define SHARD_BYTES_WANTED (16ull << 20)
#define SHARD_BYTES_DEFAULT_MIN (16ull << 20)
#define SHARDS_PER_PROCESSOR 4u
#define SHARD_ENTRIES_DEFAULT_MIN 4096u

/* Room for what the layout provides for: see layout.h. */
#define TAGS_SHARE 128u             /* of the segment */
#define STAMP_PER_BYTES 2048u       /* of a shard */
#define LEASE_LINE_PER_BYTES 65536u /* of a shard */
#define LEASE_LINES_MIN 16u
#define LEASE_LINES_MAX 256u

/* The largest value that a segment takes if nothing else is asked for: what the smallest shard of
 * the default sharding has room for, so that a larger segment never takes less. */
#define VALUE_LEN_DEFAULT_MAX (15ull << 18)

/* Lays out the tables in front of a shard's extents, and returns where these begin. */
static uint64_t lay_out_tables(geometry *g, uint64_t extents) {
    const uint64_t stride = g->shard_stride;
    const uint64_t lines = min_u64(stride / LEASE_LINE_PER_BYTES, LEASE_LINES_MAX);
    g->lease_lines = (uint32_t)floor_power_of_two(max_u64(lines, LEASE_LINES_MIN));
    g->stamps = (uint32_t)min_u64(floor_power_of_two(stride / STAMP_PER_BYTES), 1u << 31);
    const uint64_t leases_bytes = (uint64_t)g->lease_lines * CACHE_LINE;
    g->lives_offset = SHARD_LEASES_OFFSET + leases_bytes;
    g->states_offset = g->lives_offset + round_up(extents * sizeof(extent_life), CACHE_LINE);
    g->stamps_offset = g->states_offset + extents * sizeof(extent_state);
    return round_up(g->stamps_offset + g->stamps * sizeof(uint64_t), CACHE_LINE);
}

static uint64_t value_len_limit(const geometry *g) {
    return min_u64(g->shard_data_bytes / 4, VALUE_LEN_LIMIT);
}

/* Everything but value_len_max. False if the shards would be too small. */
static bool lay_out(uint64_t size_bytes, uint32_t shards, uint64_t max_entries, geometry *g) {
    *g = (geometry){0};
    g->size_bytes = size_bytes & ~(uint64_t)(SEGMENT_PAGE - 1);
    g->slots = g->size_bytes < SMALL_SEGMENT_BYTES ? SLOTS_SMALL : SLOTS_LARGE;
    g->shards = shards;
    g->max_entries = max_entries;
    g->shard_entries_max = max_entries ? (max_entries - 1) / shards + 1 : UINT64_MAX;
    g->tags_offset = SEGMENT_PAGE + round_up(g->slots * sizeof(process_slot), SEGMENT_PAGE);
    g->tag_slots = g->size_bytes / TAGS_SHARE / sizeof(uint64_t);
    g->shards_offset = g->tags_offset + round_up(g->tag_slots * sizeof(uint64_t), SEGMENT_PAGE);
    const uint64_t share = (g->size_bytes - g->shards_offset) / shards;
    if (share < SHARD_STAGGER) return false;
    g->shard_stride = ((share - SHARD_STAGGER) & ~(uint64_t)(SEGMENT_PAGE - 1)) + SHARD_STAGGER;
    if (g->shard_stride < (uint64_t)EXTENTS_MIN * EXTENT_BYTES_MIN) return false;

    uint64_t extent_bytes = floor_power_of_two(g->shard_stride / EXTENTS_TARGET);
    if (extent_bytes < EXTENT_BYTES_MIN) extent_bytes = EXTENT_BYTES_MIN;
    if (extent_bytes > EXTENT_BYTES_MAX) extent_bytes = EXTENT_BYTES_MAX;
    uint64_t extents = g->shard_stride / extent_bytes;
    while (extents && lay_out_tables(g, extents) + extents * extent_bytes > g->shard_stride)
        extents--;
    if (extents < EXTENTS_MIN) return false;

    g->extents = (uint32_t)extents;
    g->extent_bytes = (uint32_t)extent_bytes;
    g->extent_shift = log2_exact(extent_bytes);
    g->extents_offset = lay_out_tables(g, extents);
    g->shard_data_bytes = extents * extent_bytes;
    g->buckets_per_extent_shift = g->extent_shift - log2_exact(sizeof(bucket));
    g->buckets_max = (uint32_t)min_u64((extents / 2) << g->buckets_per_extent_shift, 1u << 31);
    uint64_t split = extent_bytes / 64;
    g->tail_split_min = (uint32_t)(split < 128 ? 128 : split > 4096 ? 4096 : split);
    return true;
}

int32_t geometry_resolve(uint64_t size_bytes, uint32_t shards, uint64_t value_len_max,
                         uint64_t max_entries, geometry *out, fc_report *report) {
    if (size_bytes < FC_SIZE_MIN || size_bytes > SIZE_LIMIT)
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "size is %" PRIu64 " bytes; it must be %u to %" PRIu64, size_bytes,
                           FC_SIZE_MIN, (uint64_t)SIZE_LIMIT);
    if (!is_power_of_two(shards) || shards > FC_SHARDS_MAX)
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "shards is %u; it must be a power of two from 1 to %u", shards,
                           FC_SHARDS_MAX);
    if (!lay_out(size_bytes, shards, max_entries, out))
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "%u shards are too many for a size of %" PRIu64
                           " bytes: each needs at least %u; use fewer shards or a larger size",
                           shards, size_bytes, (EXTENTS_MIN + 2) * EXTENT_BYTES_MIN);
    uint64_t limit = value_len_limit(out);
    if (value_len_max > limit)
        return report_fail(report, FC_INVALID_ARGUMENT,
                           "the largest value is asked to be %" PRIu64 " bytes, but %" PRIu64
                           " is the limit for a size of %" PRIu64
                           " bytes in %u shard%s; use a larger size%s",
                           value_len_max, limit, size_bytes, shards, shards == 1 ? "" : "s",
                           shards == 1 ? "" : " or fewer shards");
    out->value_len_max = value_len_max ? value_len_max : min_u64(limit, VALUE_LEN_DEFAULT_MAX);
    return FC_OK;
}

int32_t geometry_choose(const fc_options *options, uint32_t processors, geometry *out,
                        fc_report *report) {
    uint32_t shards = options->shards;
    if (shards == 0) {
        uint64_t size = max_u64(min_u64(options->size_bytes, SIZE_LIMIT), FC_SIZE_MIN);
        uint64_t wanted = max_u64(size / SHARD_BYTES_WANTED, SHARDS_PER_PROCESSOR * processors);
        wanted = min_u64(wanted, max_u64(size / SHARD_BYTES_DEFAULT_MIN, 1));
        shards = (uint32_t)floor_power_of_two(min_u64(max_u64(wanted, 1), FC_SHARDS_MAX));
        while (
            shards > 1 &&
            (!lay_out(size, shards, 0, out) || value_len_limit(out) < options->value_len_max ||
             (options->max_entries && options->max_entries / shards < SHARD_ENTRIES_DEFAULT_MIN)))
            shards /= 2;
    }
    return geometry_resolve(options->size_bytes, shards, options->value_len_max,
                            options->max_entries, out, report);
}
