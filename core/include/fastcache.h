/* SPDX-License-Identifier: MIT
 *
 * fastcache.h: the whole public C interface of fastcache, a cache in one
 * shared-memory segment that every process of a host reads and writes directly.
 *
 * Conventions, said once:
 *
 *  - Every call returns an int32_t. A result >= 0 is FC_OK, a length in bytes
 *    or a count; a result < 0 is a status of FC_STATUS_TABLE. errno is neither
 *    read nor meaningful afterwards. No call allocates memory for the caller
 *    to free, calls back, or throws.
 *  - Keys are 1 to FC_KEY_LEN_MAX bytes, values 0 to `value_len_max` bytes of
 *    the segment (see fc_info); both are binary. Times are milliseconds.
 *  - Threads: every call may be used from several threads at once on one
 *    handle, except fc_close (no other call on that handle may be running)
 *    and the fc_io_ calls (one thread at a time per handle: they share the
 *    memory given to fc_bind). Several handles on one segment are fine: those
 *    that a thread opens share one mapping and one slot of the segment's process
 *    table. A handle with bound memory is closed when the thread that bound it
 *    ends; any other stays open, and its slot goes to the next thread that
 *    opens the segment.
 *  - Processes: any number of processes, up to the segment's process table,
 *    may hold handles on one segment. A handle does not survive fork(): in
 *    the child every handle answers FC_CLOSED; open a new one.
 *  - Reads (fc_get, fc_has, fc_ttl, fc_get_many, fc_iterate) take no lock and
 *    finish in a bounded number of steps whatever other processes do.
 *  - Writes lock one shard. If the owner of that lock is alive but does not
 *    let go within `lock_wait_ms`, they return FC_BUSY and have changed nothing.
 *    Those who come later do so at once, in any process, until it lets go.
 */
#ifndef FASTCACHE_H
#define FASTCACHE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FC_API __attribute__((visibility("default")))
#else
#define FC_API
#endif

/* Raised when a call, a structure or a status below changes its meaning. */
#define FC_ABI_VERSION 5

#define FC_KEY_LEN_MAX 1024u
#define FC_NAME_LEN_MAX 200u
#define FC_TAGS_MAX 16u /* of one entry */
#define FC_TAG_LEN_MAX 256u
#define FC_SIZE_MIN (1u << 20)
#define FC_SHARDS_MAX 1024u
/* Deadlines are at most this far away; about 8,900 years.
 *
 * What `ttl_ms` means, wherever a call takes one: more than 0 is the time from now to the deadline,
 * rounded up to whole milliseconds; 0 and infinity are no deadline; less than 0 is over at once;
 * NaN and finite numbers above the maximum are FC_INVALID_ARGUMENT. What is told of an entry that
 * is there is above 0 or infinity, so it may be given back. */
#define FC_TTL_MS_MAX 281474976710655.0

/* X(name, value, meaning). The TypeScript error codes derive from the names. */
#define FC_STATUS_TABLE(X)                                                            \
    X(OK, 0, "done")                                                                  \
    X(INVALID_ARGUMENT, -1, "an argument of the wrong kind or range")                 \
    X(KEY_TOO_LONG, -2, "the key is longer than 1024 bytes")                          \
    X(VALUE_TOO_LARGE, -3, "the value is larger than the segment's value_len_max")    \
    X(NOT_FOUND, -4, "no such segment")                                               \
    X(EXISTS, -5, "the segment exists already")                                       \
    X(NO_SPACE, -6, "the system cannot give the memory or descriptors that it takes") \
    X(LAYOUT_MISMATCH, -7, "the segment has another layout or geometry")              \
    X(CORRUPT, -8, "the segment is damaged, or is no segment")                        \
    X(PERMISSION, -9, "the segment is not ours to open")                              \
    X(BUSY, -10, "a live process holds the shard and did not let go in time")         \
    X(CLOSED, -11, "the handle is closed")                                            \
    X(MISS, -12, "no such entry; not an error")                                       \
    X(BUFFER_TOO_SMALL, -13, "the caller's buffer is too small for the value")        \
    X(TOO_MANY_PROCESSES, -14, "all slots of the segment are taken")

typedef enum fc_status {
#define FC_STATUS_ENUM(name, value, meaning) FC_##name = value,
    FC_STATUS_TABLE(FC_STATUS_ENUM)
#undef FC_STATUS_ENUM
} fc_status;

/* What a value is. The core stores the type beside the bytes and gives it back;
 * it looks inside a value only for FC_TYPE_NUMBER (fc_increment). A later release may add types:
 * take one that you do not know for a miss. */
typedef enum fc_type {
    FC_TYPE_BYTES = 0,  /* bytes */
    FC_TYPE_UTF8 = 1,   /* a string in UTF-8 */
    FC_TYPE_ASCII = 2,  /* a string of 7-bit characters */
    FC_TYPE_UTF16 = 3,  /* a string in UTF-16LE (used where UTF-8 would lose a lone surrogate) */
    FC_TYPE_NUMBER = 4, /* an IEEE 754 double, 8 bytes, little-endian */
    FC_TYPE_BIGINT = 5, /* an integer as decimal ASCII digits with an optional '-' */
    FC_TYPE_FALSE = 6,  /* no bytes */
    FC_TYPE_TRUE = 7,   /* no bytes */
    FC_TYPE_NULL = 8,   /* no bytes */
    FC_TYPE_JSON = 9,   /* JSON in UTF-8 */
    FC_TYPE_CODEC = 10, /* bytes of the user's own codec */
    /* JSON, and beside it notes and bytes for what JSON cannot hold: see ARCHITECTURE.md */
    FC_TYPE_ANNOTATED = 11,
    /* A key over FC_KEY_LEN_MAX with its value, under the key's hash: see ARCHITECTURE.md */
    FC_TYPE_LONG_KEYED = 12
} fc_type;

/* A value may be stored with any type up to this one, also one that has no name yet: what a later
 * release stored can be read here as bytes, kept in a file, and stored again. */
#define FC_TYPE_MAX 255u

typedef enum fc_kind {
    FC_KIND_SHM = 0,     /* POSIX shared memory, found by name */
    FC_KIND_FILE = 1,    /* a file, found by path; its content survives a reboot */
    FC_KIND_PRIVATE = 2, /* anonymous memory; others attach through its descriptor */
    FC_KIND_FD = 3       /* the segment behind an inherited descriptor; attach only */
} fc_kind;

typedef enum fc_create {
    FC_ATTACH = 0, /* FC_NOT_FOUND if it is not there */
    FC_CREATE_OR_ATTACH = 1,
    FC_CREATE_EXCLUSIVE = 2 /* FC_EXISTS if it is there */
} fc_create;

/* When what is there has another geometry, policy or layout than fc_options asks for. */
typedef enum fc_on_mismatch {
    FC_MISMATCH_ERROR = 0,  /* FC_LAYOUT_MISMATCH */
    FC_MISMATCH_ATTACH = 1, /* take it as it is; another layout stays FC_LAYOUT_MISMATCH */
    FC_MISMATCH_REPLACE = 2 /* a new one takes its name; takes a size, and a name or path */
} fc_on_mismatch;

typedef enum fc_eviction {
    FC_EVICTION_DEFAULT = 0, /* lru when creating, whatever is there when attaching */
    FC_EVICTION_LRU = 1,
    FC_EVICTION_S3FIFO = 2
} fc_eviction;

/* ------------------------------------------------------------------ opening */

/* What to open. Zero everywhere means "default"; when attaching, a value that
 * is not zero must agree with the segment, else `on_mismatch` says what happens. */
typedef struct fc_options {
    uint32_t struct_size;  /* sizeof(fc_options), checked */
    uint32_t kind;         /* fc_kind */
    uint32_t create;       /* fc_create */
    uint32_t shards;       /* power of two, 1 to FC_SHARDS_MAX */
    uint32_t eviction;     /* fc_eviction */
    int32_t fd;            /* FC_KIND_FD: the descriptor; it stays the caller's */
    uint32_t lock_wait_ms; /* longest wait for a live lock owner, counted from the first who waited;
                               0 means 1000. Whom somebody awaited for a second, nobody awaits who
                               would not wait longer than that */
    uint32_t on_mismatch;  /* fc_on_mismatch */
    uint64_t size_bytes;   /* at least FC_SIZE_MIN; needed to create; rounded down to pages */
    uint64_t max_entries;  /* most entries at once, an equal share per shard; 0: what fits */
    uint64_t value_len_max; /* largest value in bytes */
} fc_options;

#define FC_MESSAGE_LEN_MAX 1007u

/* The outcome of fc_open, fc_destroy and fc_verify. */
typedef struct fc_report {
    int32_t status;   /* as returned */
    uint32_t handle;  /* fc_open: the handle, never 0; otherwise 0 */
    uint32_t created; /* fc_open: 1 if this call created the segment, or began it anew */
    uint32_t message_len;
    /* What was wrong, the number, the limit, the remedy; UTF-8, ends in 0. */
    char message[FC_MESSAGE_LEN_MAX + 1];
} fc_report;

/* FC_ABI_VERSION of the library, to compare with that of the header. */
FC_API int32_t fc_abi_version(void);

/* The text of FC_STATUS_TABLE for a status, or "unknown status". Static memory. */
FC_API const char *fc_status_text(int32_t status);

/* Creates or attaches a segment.
 * `name` is the shared-memory name (letters, digits, '.', '_', '-'; 1 to
 * FC_NAME_LEN_MAX bytes), the path, or ignored for FC_KIND_PRIVATE and FC_KIND_FD.
 * All memory is reserved before the call returns: using the segment later never
 * raises SIGBUS for lack of space. Should somebody cut its file short meanwhile, reads
 * miss and writes answer FC_CORRUPT: the first fc_open of a process installs a handler
 * of SIGBUS, which passes on what is not about a segment. The object is created with mode 0600 and
 * opened only if it is ours and no symbolic link.
 * A file (FC_KIND_FILE) is served as it is if it was last used in this boot and is the same file,
 * or if its last user closed it. Else (a loss of power, a copy made in use) nobody can tell which
 * of its pages are of one time: it begins anew, empty, with the geometry that it had.
 * With FC_MISMATCH_REPLACE a segment that does not agree loses its name to a new, empty one. Who is
 * attached to it keeps it until he closes, and learns of it from fc_stats. A segment that took
 * another's place less than 60 s ago is not replaced (FC_LAYOUT_MISMATCH, which says so): else two
 * programs that ask for different ones would replace each other's for ever.
 * Statuses: FC_OK and any of INVALID_ARGUMENT, NOT_FOUND, EXISTS, NO_SPACE,
 * LAYOUT_MISMATCH, CORRUPT, PERMISSION, TOO_MANY_PROCESSES, BUSY (another process is
 * creating it and does not finish). Safe to call from any number of threads and processes at
 * once: one creates, the others attach. Cost: creation touches all memory;
 * attaching is some system calls. */
FC_API int32_t fc_open(const fc_options *options, const char *name, uint32_t name_len,
                       fc_report *report);

/* Detaches: with the thread's last handle on it, unmaps the segment and frees the slot. The
 * handle's number is not used again soon; using it answers FC_CLOSED. FC_OK or FC_CLOSED.
 * Who closes a file (FC_KIND_FILE) as its last user waits until the disk has all of it: only so its
 * content outlives the boot. Where the disk refuses, the next boot begins with an empty one. */
FC_API int32_t fc_close(uint32_t handle);

/* Removes a segment by name or path. Processes attached to it keep using it
 * among themselves until they close. Refuses what is not a fastcache segment
 * (FC_CORRUPT) or not ours (FC_PERMISSION). FC_NOT_FOUND if it is not there. */
FC_API int32_t fc_destroy(uint32_t kind, const char *name, uint32_t name_len, fc_report *report);

/* The names of this user's shared-memory segments, each ended by '\n', into
 * `buffer`. Returns the length in bytes, also when it exceeds `capacity` (then
 * nothing useful was written: call again with that much). */
FC_API int32_t fc_list(char *buffer, uint32_t capacity);

#define FC_FD_NONE UINT64_MAX

/* The geometry of an open segment. */
typedef struct fc_info_fields {
    uint64_t kind; /* fc_kind as opened */
    uint64_t size_bytes;
    uint64_t shards;
    uint64_t max_entries; /* 0: as many as fit */
    uint64_t value_len_max;
    uint64_t key_len_max;
    uint64_t eviction; /* fc_eviction */
    uint64_t layout_version;
    uint64_t data_bytes;    /* sum of the shards' data space */
    uint64_t extent_bytes;  /* unit of reclaiming */
    uint64_t processes_max; /* slots: one for each thread that has a handle */
    /* The descriptor others may inherit and open with FC_KIND_FD; FC_FD_NONE where the system has
     * no /proc. It is closed with the handle. */
    uint64_t fd;
} fc_info_fields;

FC_API int32_t fc_info(uint32_t handle, fc_info_fields *info);

/* Counters since creation, summed over all processes that were ever attached,
 * and the present state. Reading them takes no lock; the sums are not one
 * atomic snapshot. Entries whose deadline has passed are dropped
 * first, as are those whose tags were deleted, as far as their shards are free and 4 MiB of records
 * go. */
typedef struct fc_stats_fields {
    uint64_t hits;
    uint64_t misses;
    uint64_t sets;
    uint64_t deletes; /* of entries that were there; fc_clear counts each, fc_delete_by_tag those
                         whose space has been found */
    uint64_t evictions;
    uint64_t expirations;
    uint64_t entries;
    uint64_t bytes_used;     /* live bytes, headers and rounding included */
    uint64_t capacity_bytes; /* data space that bytes_used may fill */
    uint64_t processes;      /* attached now, each counted once */
    uint64_t lock_waits;     /* writes that had to wait for a shard */
    uint64_t takeovers;      /* locks taken over from dead owners */
    /* 1 if the name or path that led to this segment no longer does: another took its place
     * (FC_MISMATCH_REPLACE), or it was removed. Who opens it now shares nothing with us. */
    uint64_t replaced;
    /* single flight; see fc_lease_begin */
    uint64_t flights;           /* fc_note: factories that ran */
    uint64_t flight_waits;      /* fc_note: calls that waited for another's run */
    uint64_t stale_served;      /* fc_note */
    uint64_t leases_refused;    /* fc_note: runs without a lease: the table was full */
    uint64_t store_failures;    /* fc_note: results that could not be stored */
    uint64_t leases_taken_over; /* from owners that had died, or were late */
    uint64_t leases_fenced;     /* whose key was stored, removed or cleared meanwhile */
    uint64_t invalidations;     /* tags that were given to fc_delete_by_tag */
    /* Of so many slots of the table of tags (all, or the first 65,536), so many were ever raised by
     * an invalidation. With p their ratio, an entry that is older than all of these dies with the
     * tag of somebody else with a chance of p * p, for each of its tags. */
    uint64_t tag_slots_looked;
    uint64_t tag_slots_raised;
} fc_stats_fields;

FC_API int32_t fc_stats(uint32_t handle, fc_stats_fields *stats);

/* Walks the whole segment under each shard's lock and checks every invariant:
 * FC_OK, FC_BUSY, or FC_CORRUPT with the first broken one named in the message.
 * For tests and diagnosis; cost grows with the number of entries. */
FC_API int32_t fc_verify(uint32_t handle, fc_report *report);

/* ------------------------------------------------------- entries, by pointer */

/* What comes with a value. */
typedef struct fc_item {
    uint32_t type;      /* fc_type */
    uint32_t value_len; /* bytes */
    double version;     /* whole number; differs after every change of the entry */
    double ttl_ms;      /* remaining time, at least 1, or infinity */
} fc_item;

/* fc_get and fc_get_many: leave the entry's recency alone. */
#define FC_PEEK 1u
/* fc_get_many: do not copy values; the answer for an entry that is there has length 0. */
#define FC_NO_VALUE 2u

/* Copies the value of `key` into `value`. Returns its length, FC_MISS, or
 * FC_BUFFER_TOO_SMALL (then item->value_len says what it takes, nothing was copied, and the
 * entry does not count as used). `item` may be null. Lock-free; about one or two cache misses. */
FC_API int32_t fc_get(uint32_t handle, const void *key, uint32_t key_len, void *value,
                      uint32_t capacity, uint32_t flags, fc_item *item);

typedef enum fc_set_mode {
    FC_SET = 0,            /* store in any case */
    FC_SET_IF_ABSENT = 1,  /* else FC_MISS */
    FC_SET_IF_PRESENT = 2, /* else FC_MISS */
    FC_SET_IF_VERSION = 3, /* only if the entry is there with that version, else FC_MISS */
    FC_SET_IF_LEASE = 4    /* only under the lease of that token, which ends then; else FC_MISS */
} fc_set_mode;

/* May be added to a mode: the value takes over the deadline, or the lack of one, of the entry that
 * it replaces, read under the same lock; `ttl_ms` is for where there is none to replace. */
#define FC_KEEP_TTL 16u
/* May be added to a mode of calls that store from packed or bound memory: the entry has tags. */
#define FC_TAGGED 32u

/* Stores a value; atomic for readers in all processes and against a crash at
 * any instruction. With a `ttl_ms` below 0 it counts as stored and has expired: the answer is the
 * same, what it replaces is gone. `version` is used by FC_SET_IF_VERSION, and by FC_SET_IF_LEASE as
 * the token of fc_lease_begin. Any other mode takes the lease of the key away.
 * Evicts other entries when the shard is full. FC_OK, FC_MISS (condition not
 * met, nothing changed), KEY_TOO_LONG, VALUE_TOO_LARGE, INVALID_ARGUMENT, BUSY,
 * CORRUPT. Bounded work under the lock: see ARCHITECTURE.md. */
FC_API int32_t fc_set(uint32_t handle, const void *key, uint32_t key_len, const void *value,
                      uint32_t value_len, uint32_t type, uint32_t mode, double ttl_ms,
                      double version);

/* The same, with tags: `tags_len` bytes at `tags` hold an fc_tags and what it counts. The entry
 * counts as stored when the call began: it is gone if one of its tags is deleted from then on.
 * With FC_SET_IF_LEASE it counts from the lease on: if one of its tags was deleted since, nothing
 * is stored (FC_MISS), and the lease is over.
 * FC_INVALID_ARGUMENT for 0 or more than FC_TAGS_MAX tags, and for one that is empty or longer
 * than FC_TAG_LEN_MAX. An entry takes 8 bytes more, and 8 for each tag. The tags themselves are not
 * kept: nobody can ask for them.
 * fc_increment, fc_touch and FC_KEEP_TTL (unless there are new ones) keep an entry's tags; any
 * other call that stores replaces them. */
FC_API int32_t fc_set_tagged(uint32_t handle, const void *key, uint32_t key_len, const void *value,
                             uint32_t value_len, uint32_t type, uint32_t mode, double ttl_ms,
                             double version, const void *tags, uint32_t tags_len);

/* Removes every entry that has this tag, in all processes: no read that starts after the return
 * finds one. Entries whose storing call has begun when this one has returned are not affected.
 * Takes no lock; cost is some 100 ns, however many entries there are. Their space is found by later
 * calls that need it.
 * The table of tags has a fixed size, 1/128 of the segment, so a tag may take others with it, by
 * chance: see fc_stats_fields. Nothing that was removed ever comes back.
 * FC_OK; FC_INVALID_ARGUMENT for a tag that is empty or longer than FC_TAG_LEN_MAX; CORRUPT. */
FC_API int32_t fc_delete_by_tag(uint32_t handle, const void *tag, uint32_t tag_len);

/* Removes an entry. FC_OK or FC_MISS. No read that starts after the return finds it. Takes the
 * lease of the key away, whether there was an entry or not. */
FC_API int32_t fc_delete(uint32_t handle, const void *key, uint32_t key_len);

/* FC_OK if the entry is there (recency is left alone), else FC_MISS. */
FC_API int32_t fc_has(uint32_t handle, const void *key, uint32_t key_len);

/* Adds `by` to a number, atomically across processes; an absent entry counts as
 * `initial` and gets the deadline `ttl_ms` (an existing one keeps its own), or is FC_MISS if
 * `initial` is NaN. The sum goes to *result. FC_INVALID_ARGUMENT if the entry is not
 * FC_TYPE_NUMBER. */
FC_API int32_t fc_increment(uint32_t handle, const void *key, uint32_t key_len, double by,
                            double initial, double ttl_ms, double *result);

/* Gives the entry a new deadline and marks it as used; below 0 removes it, as fc_delete. FC_OK or
 * FC_MISS. */
FC_API int32_t fc_touch(uint32_t handle, const void *key, uint32_t key_len, double ttl_ms);

/* Remaining time in ms into *ttl_ms, at least 1, infinity for no deadline. FC_OK or FC_MISS. */
FC_API int32_t fc_ttl(uint32_t handle, const void *key, uint32_t key_len, double *ttl_ms);

/* Removes every entry, shard by shard. FC_OK, or FC_BUSY when a shard stayed
 * locked (the others are empty). Readers see each entry or a miss. */
FC_API int32_t fc_clear(uint32_t handle);

/* Number of entries into *entries; expired ones are dropped first, as fc_stats says. FC_OK. */
FC_API int32_t fc_size(uint32_t handle, double *entries);

/* ------------------------------------------------------------ single flight */

/* Of all processes that want to compute the value of a key, one holds the key's lease, the others
 * wait for it:
 *
 *   fc_lease_begin -> TAKEN    compute, then fc_set with FC_SET_IF_LEASE and the token, or, if that
 *                              is refused or nothing is to be stored, fc_lease_end
 *                  -> HELD     fc_wait, then look for the value, then fc_lease_begin again
 *                  -> FRESH    a value was stored meanwhile: look again
 *
 * A lease ends with its process, as the kernel tells; or when its time is over and another wants
 * it; or when its key is stored, removed or cleared by anybody: what was computed is not stored
 * then (FC_SET_IF_LEASE answers FC_MISS). There is room for a fixed number of leases. */
typedef enum fc_lease_result {
    FC_LEASE_TAKEN = 0,  /* ours: `token` */
    FC_LEASE_HELD = 1,   /* another's, under `token`, for `left_ms` at most */
    FC_LEASE_FRESH = 2,  /* there is a value that is not of `seen_version` */
    FC_LEASE_FAILED = 3, /* the last run failed less than its FC_LEASE_FAIL's time ago: `text` */
    FC_LEASE_SHARED = 4, /* the last result was not to be stored: everybody may run, and store under
                            `token`, for `left_ms` */
    FC_LEASE_REFUSED = 5 /* no room: run without a lease, and store nothing, since nobody would know
                            that the key was removed meanwhile */
} fc_lease_result;

#define FC_LEASE_TEXT_MAX 200u
#define FC_LEASE_MS_MAX 86400000.0

typedef struct fc_lease {
    double token;    /* a whole number below 2^53 */
    double left_ms;  /* HELD, FAILED, SHARED: until that is over */
    uint32_t kind;   /* the bit of fc_wait's result that tells of this key */
    uint32_t fenced; /* TAKEN, HELD: so many runs in a row before this one were not stored, because
                          the key was stored, removed or cleared meanwhile */
    uint32_t text_len; /* FAILED */
    uint32_t reserved;
    uint8_t text[FC_LEASE_TEXT_MAX];
} fc_lease;

/* fc_lease_begin: take the lease from whoever holds it, and disregard failures. */
#define FC_LEASE_FORCE 1u

/* Asks for the lease of a key, for `lease_ms` (above 0, at most FC_LEASE_MS_MAX). `seen_version` is
 * that of the value that the caller found, 0 if there was none, below 0 not to have the cache
 * looked at again. Returns an fc_lease_result, or INVALID_ARGUMENT, KEY_TOO_LONG, BUSY, CORRUPT.
 * Whoever gets HELD has to call fc_wait, with whatever time, before he asks again: it is there that
 * an owner's death is noticed. Cost: as fc_set; about 3 us more where an owner is first met. */
FC_API int32_t fc_lease_begin(uint32_t handle, const void *key, uint32_t key_len, double lease_ms,
                              uint32_t flags, double seen_version, fc_lease *lease);

typedef enum fc_lease_how {
    FC_LEASE_PASS = 0, /* the next one may run */
    FC_LEASE_FAIL = 1, /* nobody is to run for `ms`; `text`, at most FC_LEASE_TEXT_MAX bytes, tells
                            why, the end of it may be lost */
    FC_LEASE_GIVE_UP = 2 /* everybody may run for `ms`, at the same time */
} fc_lease_how;

/* Ends a lease that was taken, without a value. Those who wait are woken. `ms` is above 0 and at
 * most FC_LEASE_MS_MAX. FC_OK, or FC_MISS if it was lost; else the statuses of fc_lease_begin. */
FC_API int32_t fc_lease_end(uint32_t handle, const void *key, uint32_t key_len, double token,
                            uint32_t how, double ms, const void *text, uint32_t text_len);

/* Sleeps until a lease changes that the caller's slot (thread and segment) got HELD for: the result
 * has the bits of their `kind`, and may have others; all bits when an owner has died. 0 after
 * `timeout_ms` (at most FC_LEASE_MS_MAX): then ask again for every lease that is waited for, as
 * after a result that has its bit. FC_CLOSED if the handle is closed meanwhile, which waits for the
 * call to end. The one call that other threads may make beside those of the handle's own; one at a
 * time for all handles that a thread has on a segment. */
FC_API int32_t fc_wait(uint32_t handle, double timeout_ms);
/* Ends a call of fc_wait of the same slot, or the next one, at once. */
FC_API int32_t fc_wake(uint32_t handle);

/* What fc_note counts, for fc_stats. */
typedef enum fc_noted {
    FC_NOTED_FLIGHT = 0,
    FC_NOTED_WAIT = 1,
    FC_NOTED_STALE = 2,
    FC_NOTED_REFUSED = 3,
    FC_NOTED_STORE_FAILURE = 4
} fc_noted;
FC_API int32_t fc_note(uint32_t handle, uint32_t noted);

/* ---------------------------------------------------------------- batches */

/* Batches are packed into one buffer: records one after the other, each of them a header, then
 * the bytes it counts, then padding up to the next multiple of its unit.
 *
 *   keys      | fc_packed_key | key |
 *   entries   | fc_packed_entry | key | value | with FC_TAGGED: pad to 8 | tags |
 *   answers   | fc_packed_answer | value |
 *   tags      | fc_tags | keys, each of them a tag |
 *
 * A record that does not lie inside its buffer, or has other flags, is FC_INVALID_ARGUMENT. */
typedef struct fc_packed_key {
    uint32_t key_len;
} fc_packed_key;
#define FC_PACKED_KEY_UNIT 4u

typedef struct fc_packed_entry {
    uint32_t key_len;
    uint32_t value_len;
    uint32_t type;  /* fc_type */
    uint32_t flags; /* FC_KEEP_TTL, FC_TAGGED */
    double ttl_ms;  /* as in fc_set */
} fc_packed_entry;
#define FC_PACKED_ENTRY_UNIT 8u

typedef struct fc_tags {
    uint32_t count; /* 1 to FC_TAGS_MAX */
} fc_tags;

typedef struct fc_packed_answer {
    int32_t length; /* of the value, or a status */
    uint32_t type;  /* fc_type */
    double version;
} fc_packed_answer;
#define FC_PACKED_ANSWER_UNIT 8u

/* Looks up `count` keys of `request`, prefetching ahead, and appends one answer
 * for each to `response`. Returns the number answered; fewer than `count` means
 * that the next answer did not fit: ask again from there. A status inside an answer
 * is FC_MISS or that of its bad key. FC_BUFFER_TOO_SMALL if not even one answer
 * fitted; its length is then in the first 4 bytes of `response` (if those exist). */
FC_API int32_t fc_get_many(uint32_t handle, const void *request, uint32_t request_len,
                           uint32_t count, void *response, uint32_t capacity, uint32_t flags);

/* Stores `count` entries in order. Returns FC_OK, or the first status met; *done
 * then says how many entries before it were stored. Not a transaction. */
FC_API int32_t fc_set_many(uint32_t handle, const void *request, uint32_t request_len,
                           uint32_t count, uint32_t *done);

/* Deletes `count` keys in order. Returns FC_OK or the first status met that is not
 * FC_MISS; *done says how many keys were worked on, *removed how many were there. */
FC_API int32_t fc_delete_many(uint32_t handle, const void *request, uint32_t request_len,
                              uint32_t count, uint32_t *done, uint32_t *removed);

/* Where an iteration stands; all zero to begin. Opaque, valid for one segment. */
typedef struct fc_cursor {
    uint64_t word[4];
} fc_cursor;

/* Appends keys (packed, unit 4) to `response` and advances the cursor. Returns their number,
 * FC_MISS at the end, or FC_BUFFER_TOO_SMALL if `capacity` is under
 * FC_ITERATE_CAPACITY_MIN. Lock-free and weakly consistent: an entry that is there from
 * beginning to end is seen exactly once; one that comes or goes, at most once per life. */
#define FC_ITERATE_CAPACITY_MIN 131072u
FC_API int32_t fc_iterate(uint32_t handle, fc_cursor *cursor, void *response, uint32_t capacity,
                          uint32_t *used);

/* ------------------------------------ entries, by bound memory (numbers only) */

/* The same operations for callers for whom pointers are expensive: two regions are
 * bound once, and each call then passes small integers only.
 *
 *   request   | fc_control (64 bytes) | key, 1024 bytes | value or batch ... |
 *             0                       FC_IO_KEY         FC_IO_VALUE
 *   response  | values and answers, at the offset each call names ... |
 *
 * The calls of the hot path take at most three arguments, and take their integers as doubles:
 * that is what every JavaScript runtime passes without checks or conversions. A number that is no
 * uint32_t is out of range of whatever it means.
 *
 * The memory stays the caller's and must outlive the handle or the next fc_bind. */
typedef struct fc_control {
    uint32_t type;      /* in: fc_type of the value to store. out: of the value read */
    uint32_t mode;      /* in: fc_set_mode, with or without FC_KEEP_TTL, FC_TAGGED */
    uint32_t value_len; /* out: length of the value read; also when FC_BUFFER_TOO_SMALL */
    uint32_t done;      /* out: batches: how many were worked on */
    uint32_t removed;   /* out: fc_io_delete_many */
    uint32_t reserved;
    double version; /* in: FC_SET_IF_VERSION. out: version of the value read */
    double ttl_ms;  /* in: fc_io_set, fc_io_increment. out: fc_io_ttl */
    double initial; /* in: fc_io_increment */
    double sum;     /* out: fc_io_increment */
    double entries; /* out: a place that callers of fc_size may point it to */
} fc_control;

#define FC_IO_KEY 64u
#define FC_IO_VALUE 1088u

#define FC_REGION_REQUEST 0u
#define FC_REGION_RESPONSE 1u

/* Binds `length` bytes at `memory`, 8-byte aligned, as one of the two regions; the
 * request region needs at least FC_IO_VALUE bytes. Replaces what was bound before. The handle
 * is closed when the thread ends that bound the first of it. */
FC_API int32_t fc_bind(uint32_t handle, uint32_t region, void *memory, uint32_t length);

/* As fc_get, into the response region from `response_offset` on. */
FC_API int32_t fc_io_get(double handle, double key_len, double response_offset);
/* The same with FC_PEEK. */
FC_API int32_t fc_io_peek(double handle, double key_len, double response_offset);
/* As fc_get, into the caller's memory; only the key comes from the request region. */
FC_API int32_t fc_io_get_into(uint32_t handle, uint32_t key_len, void *value, uint32_t capacity,
                              uint32_t flags);
/* As fc_set; the value lies at FC_IO_VALUE, the rest in the control block. With FC_TAGGED as
 * fc_set_tagged: the tags lie behind the value, at the next multiple of FC_PACKED_ENTRY_UNIT. */
FC_API int32_t fc_io_set(double handle, double key_len, double value_len);
/* The same with the value in the caller's memory (for values larger than the region); tags lie
 * at FC_IO_VALUE. */
FC_API int32_t fc_io_set_from(uint32_t handle, uint32_t key_len, const void *value,
                              uint32_t value_len);
FC_API int32_t fc_io_delete(double handle, double key_len);
/* As fc_delete_by_tag; the tag lies where other calls have the key. */
FC_API int32_t fc_io_delete_by_tag(double handle, double tag_len);
FC_API int32_t fc_io_has(double handle, double key_len);
/* As fc_increment, with `initial` and `ttl_ms` in the control block, where the sum goes too. */
FC_API int32_t fc_io_increment(double handle, double key_len, double by);
FC_API int32_t fc_io_touch(double handle, double key_len, double ttl_ms);
/* As fc_ttl; the time goes to control.ttl_ms. */
FC_API int32_t fc_io_ttl(double handle, double key_len);
/* As fc_lease_begin and fc_lease_end, with `seen_version` or `token` in control.version and `ms` in
 * control.ttl_ms. */
FC_API int32_t fc_io_lease_begin(uint32_t handle, uint32_t key_len, double lease_ms, uint32_t flags,
                                 fc_lease *lease);
FC_API int32_t fc_io_lease_end(uint32_t handle, uint32_t key_len, uint32_t how, const void *text,
                               uint32_t text_len);
/* The batches: `count` packed records of `request_len` bytes at FC_IO_VALUE. */
FC_API int32_t fc_io_get_many(uint32_t handle, uint32_t count, uint32_t request_len,
                              uint32_t response_offset, uint32_t flags);
FC_API int32_t fc_io_set_many(uint32_t handle, uint32_t count, uint32_t request_len);
FC_API int32_t fc_io_delete_many(uint32_t handle, uint32_t count, uint32_t request_len);

#ifdef __cplusplus
}
#endif
#endif
