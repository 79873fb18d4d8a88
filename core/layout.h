/* SPDX-License-Identifier: MIT
 *
 * layout.h owns the shape of everything that lives in a segment. All references
 * are offsets or indices; every field is naturally aligned and little-endian.
 *
 *   segment   | superblock, 4096 | process slots, 128 each | tags' table | shard 0 | shard 1 | ...
 *
 *   tags      | invalidations begun, u64 | ended, u64 | 6 unused | slot, u64 | slot | ... |
 *
 *   shard     | header, 320 | stash, 512 | leases | extent lives, 16 N | extent states, 64 N |
 *             | stamps | extent 0 | extent 1 | ... | extent N-1 |
 *
 *   extent    E bytes, a power of two; one of
 *               free     nobody may reach it through the index
 *               data     records, one after the other, from 0 to `used`
 *               solid    one chunk that fills it: a part of a large value
 *               index    E / 64 buckets: the index grows down from the end of extent N-1
 *
 * Sizes come from geometry.c. Raise LAYOUT_VERSION when anything here changes meaning. What the
 * version provides for and nothing uses yet is zero: stamps, the shard's `shard_word`, the
 * superblock's feature bits.
 * Who begins to use one sets a feature bit: an incompatible one where others must not go on without
 * knowing it.
 */
#ifndef FC_LAYOUT_H
#define FC_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "check.h"

#define LAYOUT_MAGIC 0x3165686361637466ull /* "ftcache1" */
#define LAYOUT_VERSION 5u
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
    uint64_t features_compatible;   /* others may go on without knowing them */
    uint64_t features_incompatible; /* others must refuse what they do not know */
    uint64_t shards_offset;
    uint64_t shard_stride;
    uint64_t extents_offset; /* within a shard */
    uint64_t hash_seed;
    uint64_t checksum;
    /* changes at attach, under the creation lock; see clock.h and seal.h */
    uint64_t clock_base_ms; /* cache time = system's time since boot + base */
    uint64_t clock_last_ms; /* cache time at the last attach or detach */
    uint64_t boot_id;
    uint64_t clean; /* the seal; 0 while the segment is in use, and if that ended badly */
    uint64_t file_device, file_inode, file_birth_ns; /* the file that it was last used in */
    uint64_t replacement_ms; /* cache time at which it took another's name; 0: it did not */
} superblock;

#define FEATURES_INCOMPATIBLE_KNOWN 0ull

#define SECTOR 512u /* of a disk: written as a whole, or not at all */
FC_LAYOUT_ASSERT(sizeof(superblock) <= SECTOR);
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

/* The same of single flight: see lease.h. They lie beside what others write, for they are rare. */
enum flight_counter {
    FLIGHT_RUNS,           /* of factories */
    FLIGHT_WAITS,          /* calls that waited for another's run */
    FLIGHT_STALE,          /* calls that were given a stale value */
    FLIGHT_REFUSED,        /* runs that there was no lease for */
    FLIGHT_STORE_FAILURES, /* results that could not be stored */
    FLIGHT_COUNTERS
};

typedef struct process_slot {
    uint32_t incarnation; /* raised by each new owner; never 0 while owned */
    uint32_t unused0;
    uint64_t nonce; /* of the process that the last owner belongs to */
    uint64_t woken; /* what its waiter is woken for; the low half is a futex. See lease.h */
    uint64_t flights[FLIGHT_COUNTERS];
    uint64_t counters[COUNTERS];
} process_slot;

FC_LAYOUT_ASSERT(sizeof(process_slot) == 2 * CACHE_LINE);
FC_LAYOUT_ASSERT(offsetof(process_slot, counters) == CACHE_LINE);

/* Byte-range locks on the segment's file. Offset 0 is the creation lock, offset
 * 1 + i says that slot i has a living owner. */
#define CREATION_LOCK_OFFSET 0u
#define SLOT_LOCK_OFFSET 1u

/* ------------------------------------------------------------------- tags */

/* Places in the tags' table; see tag.h. The counters have a line of their own. */
#define TAG_COUNTER 0u
#define TAG_ENDED 1u
#define TAG_SLOTS_FIRST (CACHE_LINE / sizeof(uint64_t))

/* ------------------------------------------------------------------ index */

/* An index word:
 *
 *   63            48 47        40 39 38 37                               0
 *   +---------------+------------+--+--+----------------------------------+
 *   | tag, never 0  | mark       |G |S | record's offset in the extents/8 |
 *   +---------------+------------+--+--+----------------------------------+
 *
 * A word whose tag is 0 is empty, whatever its other bits. One with G, WORD_GHOST, names no
 * record: it remembers an entry that was evicted, and when (evict_s3fifo.c). S says that it lies in
 * the bucket of its key's second hash, and not of the first. The mark tells of the entry's use, in
 * the eviction policy's terms. Readers change it by a compare-and-swap of the whole word: where one
 * has been replaced, even by a record, nothing is stored. Everything else is written under the
 * shard's lock by one 8-byte store, and marks by one of a byte.
 */
#define WORD_TAG_SHIFT 48
#define WORD_MARK_SHIFT 40
#define WORD_MARK_BYTE 5 /* little-endian */
#define WORD_SECOND (1ull << 38)
#define WORD_GHOST (1ull << 39)
#define WORD_LOCATION_MASK (WORD_GHOST | (WORD_SECOND - 1)) /* a ghost's is beyond any record */

#define BUCKET_WORDS 8u
typedef struct bucket {
    uint64_t words[BUCKET_WORDS];
} bucket;
FC_LAYOUT_ASSERT(sizeof(bucket) == CACHE_LINE);

#define STASH_BUCKETS 8u
#define STASH_WORDS (STASH_BUCKETS * BUCKET_WORDS)
#define BUCKETS_MIN 8u /* a shard's index begins with so many */

/* ------------------------------------------------------------------ shard */

enum extent_kind { EXTENT_FREE = 0, EXTENT_DATA = 1, EXTENT_INDEX = 2, EXTENT_SOLID = 3 };
#define EXTENT_NONE 0xffffffffu
#define TIME_NONE 0xffffffffffffffffull

/* What readers look at: one load of the line gives both. */
typedef struct extent_life {
    uint64_t generation; /* of the bytes; see log.h */
    uint64_t epoch;      /* of the content; see evict.h. Lower ones leave first */
} extent_life;
FC_LAYOUT_ASSERT(sizeof(extent_life) == 16);

/* The lock holder's. `due` counts the live bytes that have a deadline, exactly; see due.h. */
#define DUE_BUCKETS 8u
typedef struct extent_state {
    uint64_t base_ms; /* of due; 0 while there is none */
    uint32_t due[DUE_BUCKETS];
    uint32_t unit_shift; /* of due: its unit is 2^unit_shift ms */
    uint32_t used;       /* bytes of records; stored before any of them is published */
    uint32_t live;       /* bytes of records that the index reaches */
    uint16_t kind;       /* enum extent_kind */
    uint16_t queue;      /* enum queue; data and solid extents */
    uint64_t tagged;     /* 0 if no entry with tags was stored here: see reap.h */
} extent_state;
FC_LAYOUT_ASSERT(sizeof(extent_state) == CACHE_LINE);

/* Entries leave in the order of the extents of a queue. `lru` has one queue; `s3-fifo` puts
 * new entries on probation first. */
enum queue { QUEUE_MAIN, QUEUE_PROBATION, QUEUES };

/* Extents are open for appending side by side, one per lane. `lru`: lane 0 is for what was used
 * in the present epoch, lane 1 for what was used earlier. `s3-fifo`: a lane for each queue. */
#define LANES 2u

/* What the cleaner is at, and where it walks, a few records at a time; see clean.c, and reap.c. */
enum job_kind { JOB_NONE, JOB_COMPACT, JOB_EVICT };
enum walk_purpose { WALK_EVICT_MAIN, WALK_EVICT_PROBATION, WALK_COMPACT, WALK_REAP, WALKS };
FC_LAYOUT_ASSERT((int)WALK_EVICT_MAIN == QUEUE_MAIN &&
                 (int)WALK_EVICT_PROBATION == QUEUE_PROBATION);
typedef struct walk {
    uint32_t extent;   /* EXTENT_NONE: choose one */
    uint32_t position; /* of the next record */
} walk;

typedef struct shard_header {
    /* line 0: readers' */
    uint64_t sequence;    /* number of extent openings; see log.c */
    uint32_t buckets;     /* index size */
    uint32_t stash_count; /* words in use in the stash */
    uint64_t index_moves; /* how often words went elsewhere; see index.h */
    uint64_t epoch;       /* lru: counts quarters of a turnover; see evict_lru.c */
    uint64_t shard_word;  /* room for near caches */
    uint64_t unused0[3];
    /* line 1: the lock; see lock.c */
    uint64_t lock;
    uint64_t leases_held; /* lease lines in use; the lock holder's, as all that follows */
    uint64_t job;         /* enum job_kind */
    uint64_t work_looked; /* bytes of records that the cleaner ever looked at, and moved: */
    uint64_t work_moved;  /* tests hold what one set costs against them */
    uint64_t lease_token; /* the last one given */
    uint64_t leases_taken_over, leases_fenced; /* counters */
    /* lines 2 and 3: the lock holder's; rebuilt from the index after a take-over */
    uint64_t entries;
    uint64_t live_bytes;
    uint64_t version;             /* last version given to a record */
    uint32_t open_extents[LANES]; /* EXTENT_NONE or the one being appended to */
    uint32_t free_extents;
    uint32_t index_extents;
    walk walks[WALKS];
    uint64_t expired_until_ms; /* TIME_NONE, or a time before which no more live bytes than */
    uint64_t expired_max;      /* these have expired; see clean.c */
    uint64_t probation_entries;
    uint64_t probation_bytes; /* live */
    uint64_t ghosts;          /* ever made; a ghost's age is counted in ghosts */
    uint64_t epoch_bytes;     /* of new entries, stored in this epoch */
    uint64_t epoch_entries;   /* the same, their number */
    /* line 4: the lock holder's; see reap.c */
    uint64_t reap_seen; /* invalidations that had ended at the hand's last look */
    uint32_t reap_next; /* the extent that it goes to next */
    uint32_t reap_left; /* how many more of this lap */
    uint64_t unused1[6];
} shard_header;

FC_LAYOUT_ASSERT(offsetof(shard_header, lock) == CACHE_LINE);
FC_LAYOUT_ASSERT(offsetof(shard_header, entries) == 2 * CACHE_LINE);
FC_LAYOUT_ASSERT(offsetof(shard_header, version) % 8 == 0);
FC_LAYOUT_ASSERT(offsetof(shard_header, expired_until_ms) % 8 == 0);
FC_LAYOUT_ASSERT(offsetof(shard_header, reap_seen) == 4 * CACHE_LINE);
FC_LAYOUT_ASSERT(sizeof(shard_header) == 5 * CACHE_LINE);

/* ------------------------------------------------------------------ leases */

enum lease_state {
    LEASE_FREE,        /* all zeros */
    LEASE_HELD,        /* somebody computes the key's value */
    LEASE_VACANT,      /* somebody did, and was fenced while others waited */
    LEASE_FAILED,      /* a run failed: nobody runs before until_ms; begins with its message */
    LEASE_UNCACHEABLE, /* a run's result was not to be stored: everybody may run */
    LEASE_TEXT,        /* more of a failure's message */
    LEASE_STATES
};

/* A line is found by its key's hash: it lies among the LEASE_WAYS lines from there on. */
#define LEASE_WAYS 8u
#define LEASE_TEXT_BYTES 40u /* of a message, in one line */
#define LEASE_NUMBER_SHIFT 8

typedef struct lease_line {
    uint64_t hash;  /* of the key */
    uint64_t state; /* enum lease_state | number << 8. HELD, VACANT: runs in a row that were fenced;
                       FAILED, TEXT: bytes of the message here */
    uint64_t until_ms; /* cache time; in none of the states for longer */
    union {
        struct {
            uint64_t token;   /* never given twice */
            uint64_t owner;   /* as in a lock word */
            uint64_t waiters; /* bit i: threads in slots i modulo 64 */
            uint64_t birth;   /* the tags' counter when the lease was given */
            uint64_t unused;
        } held;
        uint8_t text[LEASE_TEXT_BYTES];
    } as;
} lease_line;
FC_LAYOUT_ASSERT(sizeof(lease_line) == CACHE_LINE);

/* ----------------------------------------------------------------- record */

/* An entry is one inline record, or a head whose value begins in chunks:
 *
 *   inline  | identity, shape | words | key | value | pad to 8 |
 *   head    | identity, shape | words | key | pad to 8 | u32 chunks | u32 inline_len |
 *           | u64 location of chunk 0 | ... | last inline_len bytes of the value | pad |
 *   chunk   | identity, shape | payload | pad to 8 |
 *
 *   identity   63                                    11 10            0
 *              | version                               | key_len        |
 *              of a chunk: the hash of its owner's key
 *
 *   shape      63 61 60    56 55 53 52   48 47  43 42 41 40 39   32 31            0
 *              |     | words  |     | tags  | have  | D| kind  | type  | value_len    |
 *              of a chunk: value_len is its payload's, type, have, tags and words are 0
 *
 * `words` of 8 bytes follow, each there if `have` has its bit, in this order: deadline, fresh
 * until, created, birth; then one for each tag: its two slots, one in each half. An entry with tags
 * has a birth, no other has. D says that the entry is gone, or was stored anew.
 *
 * The chunks of a value are solid extents, and then, where the record did not fit the rest of an
 * extent, one chunk there. Nothing in a record changes after it was published but two kinds of
 * 8-byte words: the deadline (touch), the shape (D), and the locations (none yet).
 */
enum record_kind { RECORD_INLINE = 1, RECORD_HEAD = 2, RECORD_CHUNK = 3 };

typedef struct record_header {
    uint64_t identity;
    uint64_t shape;
} record_header;
FC_LAYOUT_ASSERT(sizeof(record_header) == 16);

#define IDENTITY_KEY_BITS 11
#define IDENTITY_KEY_MASK 0x7ffull
#define SHAPE_TYPE_SHIFT 32
#define SHAPE_KIND_SHIFT 40
#define SHAPE_DEAD (1ull << 42)
#define SHAPE_DEADLINE (1ull << 43)
#define SHAPE_FRESH (1ull << 44)
#define SHAPE_CREATED (1ull << 45)
#define SHAPE_BIRTH (1ull << 46)
#define SHAPE_TAGS_SHIFT 48
#define SHAPE_WORDS_SHIFT 56
#define SHAPE_FIVE_BITS 0x1full
#define RECORD_TAGS_MAX 16u
#define RECORD_WORDS_MAX (4u + RECORD_TAGS_MAX)

#define RECORD_ALIGN 8u
#define VERSION_MASK ((1ull << 53) - 1) /* versions are exact as doubles */

#endif
