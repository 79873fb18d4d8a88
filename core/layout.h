/* SPDX-License-Identifier: MIT
 *
 * layout.h owns the shape of everything that lives in a segment. All references
 * are offsets or indices; every field is naturally aligned and little-endian.
 *
 *   segment   | superblock, 4096 | process slots, 128 each | shard 0 | shard 1 | ...
 *
 *   shard     | header, 256 | stash, 512 | generations, 8 N | extent states, 32 N |
 *             | directory, 4 N | pad to 64 | extent 0 | extent 1 | ... | extent N-1 |
 *
 *   extent    E bytes, a power of two; one of
 *               free     nobody may reach it through the index
 *               data     records, one after the other, from 0 to `used`
 *               index    E / 64 buckets; `directory` says which part of the index
 *
 * Sizes come from geometry.c. Raise LAYOUT_VERSION when anything here changes meaning.
 */
#ifndef FC_LAYOUT_H
#define FC_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "check.h"

#define LAYOUT_MAGIC 0x3165686361637466ull /* "ftcache1" */
#define LAYOUT_VERSION 2u
#define LAYOUT_BYTE_ORDER 0x01020304u

#define CACHE_LINE 64u
#define SEGMENT_PAGE 4096u

/* ------------------------------------------------------------- superblock */

enum segment_state {
    STATE_ABSENT = 0,      /* a file of zeros: nobody began */
    STATE_CREATING = 0x11, /* the creator holds the creation lock, or died */
    STATE_READY = 0x22     /* written last; everything else is in place */
};

/* The fixed part, covered by `checksum`. */
typedef struct superblock {
    uint64_t magic;
    uint32_t byte_order;
    uint32_t layout_version;
    uint32_t state; /* not covered by the checksum */
    uint32_t eviction;
    /* the geometry; see geometry.h */
    uint64_t size_bytes;
    uint64_t max_entries;
    uint64_t value_len_max;
    uint32_t shards;
    uint32_t slots;
    uint32_t extents; /* per shard: N */
    uint32_t extent_bytes;
    uint64_t shards_offset;
    uint64_t shard_stride;
    uint64_t extents_offset; /* within a shard */
    uint64_t hash_seed;
    uint64_t checksum;
    /* changes at attach, under the creation lock; see expire.c */
    uint64_t clock_base_ms; /* cache time = system's time since boot + base */
    uint64_t clock_last_ms; /* cache time at the last attach or detach */
    uint64_t boot_id;
} superblock;

FC_LAYOUT_ASSERT(sizeof(superblock) <= SEGMENT_PAGE);
FC_LAYOUT_ASSERT(offsetof(superblock, state) % 4 == 0);
FC_LAYOUT_ASSERT(offsetof(superblock, clock_base_ms) % 8 == 0);

/* ---------------------------------------------------------- process table */

/* Counters are cumulative over all owners a slot ever had: totals are sums of
 * slots. They lie on their own line, which only the slot's owner writes. */
enum counter {
    COUNT_HITS,
    COUNT_MISSES,
    COUNT_SETS,
    COUNT_DELETES,
    COUNT_EVICTIONS,
    COUNT_EXPIRATIONS,
    COUNT_LOCK_WAITS,
    COUNT_TAKEOVERS,
    COUNTERS
};

typedef struct process_slot {
    uint32_t incarnation; /* raised by each new owner; never 0 while owned */
    uint32_t unused[15];
    uint64_t counters[COUNTERS];
} process_slot;

FC_LAYOUT_ASSERT(sizeof(process_slot) == 2 * CACHE_LINE);
FC_LAYOUT_ASSERT(offsetof(process_slot, counters) == CACHE_LINE);

/* Byte-range locks on the segment's file. Offset 0 is the creation lock, offset
 * 1 + i says that slot i has a living owner. */
#define CREATION_LOCK_OFFSET 0u
#define SLOT_LOCK_OFFSET 1u

/* ------------------------------------------------------------------ index */

/* An index word:
 *
 *   63            48 47        40 39                                     0
 *   +---------------+------------+----------------------------------------+
 *   | tag, never 0  | mark       | record's offset in the extents, / 8    |
 *   +---------------+------------+----------------------------------------+
 *
 * A word whose tag is 0 is empty, whatever its other bits. One with WORD_GHOST set names no
 * record: it remembers an entry that was evicted, and when (evict_s3fifo.c). The mark tells
 * of the entry's use, in the eviction policy's terms. Readers store it as a single byte; everything
 * else is written under the shard's lock by one 8-byte store. A late mark that lands on a word
 * since replaced is harmless.
 */
#define WORD_TAG_SHIFT 48
#define WORD_MARK_SHIFT 40
#define WORD_MARK_BYTE 5 /* little-endian */
#define WORD_LOCATION_MASK ((1ull << 40) - 1)
#define WORD_GHOST (1ull << 39) /* beyond any record */

#define BUCKET_WORDS 8u
typedef struct bucket {
    uint64_t words[BUCKET_WORDS];
} bucket;
FC_LAYOUT_ASSERT(sizeof(bucket) == CACHE_LINE);

#define STASH_BUCKETS 8u
#define STASH_WORDS (STASH_BUCKETS * BUCKET_WORDS)
#define BUCKETS_MIN 8u /* a shard's index begins with so many */

/* ------------------------------------------------------------------ shard */

enum extent_kind { EXTENT_FREE = 0, EXTENT_DATA = 1, EXTENT_INDEX = 2 };
#define EXTENT_NONE 0xffffffffu
#define DEADLINE_NONE 0xffffffffffffffffull

typedef struct extent_state {
    uint64_t deadline_min; /* no record's deadline is earlier; DEADLINE_NONE */
    uint32_t used;         /* bytes of records; stored before any of them is published */
    uint32_t live;         /* bytes of records that the index reaches */
    uint32_t kind;         /* enum extent_kind */
    uint32_t queue;        /* enum queue; data extents */
    uint64_t epoch;        /* extents of lower epochs leave first, then those opened first */
} extent_state;
FC_LAYOUT_ASSERT(sizeof(extent_state) == 32);

/* Entries leave in the order of the extents of a queue. `lru` has one queue; `s3-fifo` puts
 * new entries on probation first. */
enum queue { QUEUE_MAIN, QUEUE_PROBATION, QUEUES };

/* Extents are open for appending side by side, one per lane. `lru`: lane 0 is for what was used
 * in the present epoch, lane 1 for what was used earlier. `s3-fifo`: a lane for each queue. */
#define LANES 2u

/* A walk through the records of one extent, a few at a time; see clean.c and expire.c. */
enum walk_purpose { WALK_EVICT_MAIN, WALK_EVICT_PROBATION, WALK_COMPACT, WALK_SWEEP, WALKS };
FC_LAYOUT_ASSERT((int)WALK_EVICT_MAIN == QUEUE_MAIN &&
                 (int)WALK_EVICT_PROBATION == QUEUE_PROBATION);
typedef struct walk {
    uint32_t extent;   /* EXTENT_NONE: choose one */
    uint32_t position; /* of the next record */
} walk;

typedef struct shard_header {
    /* line 0: readers' */
    uint64_t sequence;    /* number of extent openings; see log.c */
    uint32_t buckets;     /* index size; only grows */
    uint32_t stash_count; /* words in use in the stash */
    uint64_t stash_moves; /* words that went from the stash to a bucket; see index.c */
    uint64_t epoch;       /* lru: counts quarters of a turnover; see evict_lru.c */
    uint64_t unused0[4];
    /* line 1: the lock; see lock.c */
    uint64_t lock;
    uint64_t unused1[7];
    /* lines 2 and 3: the lock holder's; rebuilt from the index after a take-over */
    uint64_t entries;
    uint64_t live_bytes;
    uint64_t version;             /* last version given to a record */
    uint32_t open_extents[LANES]; /* EXTENT_NONE or the one being appended to */
    uint32_t free_extents;
    uint32_t index_extents;
    walk walks[WALKS];
    uint64_t deadline_min;       /* no extent's deadline_min is earlier */
    uint64_t sweep_deadline_min; /* earliest deadline that the sweep has passed by */
    uint64_t probation_entries;
    uint64_t probation_bytes; /* live */
    uint64_t ghosts;          /* ever made; a ghost's age is counted in ghosts */
    uint64_t epoch_bytes;     /* stored in this epoch */
    uint64_t epoch_entries;   /* stored in this epoch */
} shard_header;

FC_LAYOUT_ASSERT(offsetof(shard_header, lock) == CACHE_LINE);
FC_LAYOUT_ASSERT(offsetof(shard_header, entries) == 2 * CACHE_LINE);
FC_LAYOUT_ASSERT(offsetof(shard_header, version) % 8 == 0);
FC_LAYOUT_ASSERT(offsetof(shard_header, deadline_min) % 8 == 0);
FC_LAYOUT_ASSERT(offsetof(shard_header, sweep_deadline_min) % 8 == 0);
FC_LAYOUT_ASSERT(sizeof(shard_header) == 4 * CACHE_LINE);

/* ----------------------------------------------------------------- record */

/* An entry is one inline record, or a head whose value begins in chunks:
 *
 *   inline  | header, 24 | key | value | pad to 8 |
 *   head    | header, 24 | key | pad to 8 | u32 chunks | u32 inline_len |
 *           | u64 location of chunk 0 | ... | last inline_len bytes of the value | pad |
 *   chunk   | header, 24 | payload | pad to 8 |
 *
 * Nothing in a record changes after it was published but two kinds of 8-byte
 * words: `deadline_ms` (touch) and a head's chunk locations (cleaning).
 */
enum record_form { RECORD_INLINE = 1, RECORD_HEAD = 2, RECORD_CHUNK = 3 };

typedef struct record_header {
    uint64_t deadline_ms; /* cache time; 0 for none. Chunks: 0 */
    uint64_t version;     /* of the shard's counter. Chunks: hash of the owner's key */
    uint32_t value_len;   /* whole value. Chunks: payload */
    uint16_t key_len;     /* Chunks: 0 */
    uint8_t type;         /* fc_type */
    uint8_t form;         /* enum record_form */
} record_header;
FC_LAYOUT_ASSERT(sizeof(record_header) == 24);

#define RECORD_ALIGN 8u
#define VERSION_MASK ((1ull << 53) - 1) /* versions are exact as doubles */

#endif
