/* SPDX-License-Identifier: MIT
 *
 * seal.h owns whether what a file holds may be served (contract S7): which boot and which file it
 * was last used in, and the seal that its last user puts on it.
 */
#ifndef FC_SEAL_H
#define FC_SEAL_H

#include "cache.h"
#include "os/os.h"

/* Is a segment of that kind in that file judged at all? Anonymous memory is not: it ends with its
 * users. */
bool seal_judges(uint32_t kind, const os_file_state *file);

/* Notes that a new segment is used in this boot, in this file. */
void seal_begin(superblock *block, const os_file_state *file);

/* May c's content be served as it is? Then it is taken into use: the seal is gone, from the disk
 * too, the time goes on, and this boot and file are noted. `attended`: a process is attached. With
 * the creation lock held, before anything else is written. FC_OK with the answer in *trusted;
 * FC_INVALID_ARGUMENT for a file that another machine uses; else what the disk said. */
int32_t seal_open(cache *c, const os_file_state *file, bool attended, bool *trusted,
                  fc_report *report);

/* Writes all of c's content back, then the seal. With the creation lock held, and nobody else
 * attached. Where the disk refuses there is no seal, and the next boot begins with nothing. */
void seal_close(const cache *c);

#endif
