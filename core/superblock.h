/* SPDX-License-Identifier: MIT
 *
 * superblock.h owns page 0 of a segment: written once by the creator, validated field by
 * field by everyone who attaches, before anything else of the segment is believed.
 */
#ifndef FC_SUPERBLOCK_H
#define FC_SUPERBLOCK_H

#include "geometry.h"
#include "layout.h"

/* Fills in everything but the state and the clock; `seed` is random. */
void superblock_write(superblock *block, const fc_options *options, const geometry *geometry,
                      uint64_t seed);

/* Is `block`, read from a file of `file_bytes`, a ready segment of ours? Recomputes the
 * geometry into *geometry. FC_CORRUPT or FC_LAYOUT_MISMATCH with both values in the report. */
int32_t superblock_validate(const superblock *block, uint64_t file_bytes, geometry *geometry,
                            fc_report *report);

/* Do the options that the caller insists on agree with it? FC_LAYOUT_MISMATCH if not. */
int32_t superblock_agree(const superblock *block, const fc_options *options, fc_report *report);

#endif
