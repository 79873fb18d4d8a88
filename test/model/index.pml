/* SPDX-License-Identifier: MIT
 *
 * index.pml models the index that grows and shrinks under a lock-free reader (core/index.c, read.c, log.c), and whose
 * lock holder may die at each step (guard.c), for Spin. test/model/run.sh checks it, and that it fails for each part of
 * the protocol left out. read.pml has the rest: records and the lock.
 *
 * One shard with two buckets of one word, and a stash of one. Key 0 belongs into bucket 0 while the table has one bucket,
 * into bucket 1 when it has two. Bucket 1 lies in an extent of its own, which is free or holds records while the table is
 * small; records may contain anything, so here their bytes look like a word of key 0. Another key may take bucket 0's
 * word, so that what a split is undone for goes to the stash.
 *
 * A word is the number of the set that stored it, or 0, or RUBBISH. Steps interleave as they are coded; what weak memory
 * may do besides is for test/order.
 *
 * Properties, as in read.pml: R1, R2 and W1; and no reader writes where there is no word. Assertions in `reader`, `audit`.
 */

#define RUBBISH 99
#ifndef ATTEMPTS
#define ATTEMPTS 2 /* 8 in read.c */
#endif
#ifndef OPERATIONS
#define OPERATIONS 5
#endif
#ifndef DEATHS
#define DEATHS 1
#endif

mtype = {FREE, INDEX};

/* The shard. */
byte sequence = 1;
byte moves;
byte buckets = 2;
byte stash_count;
byte words[2];
byte stash;
byte generation = 1; /* of the extent of bucket 1 */
mtype kind = INDEX;  /* of the same */

/* What only the properties know. */
byte numbers;  /* given to sets and deletions of key 0 */
byte newest;   /* number of the last one */
bool there;    /* was it a set? */
bool absent;   /* key 0, at some time during the read */
byte deaths;
bool writer_ended, read_ended;

inline may_die() {
    if
    :: skip
    :: atomic { deaths < DEATHS -> deaths++; goto died }
    fi
}

inline generation_raise() {
    generation = sequence + 1;
    may_die();
    sequence = generation;
    may_die()
}

/* Where key 0's word is, into `at`: 0, 1, 2 for the stash, 3 for nowhere. */
inline find() {
    if
    :: words[buckets - 1] != 0 && !(buckets == 1 && taken) -> at = buckets - 1
    :: else ->
        if
        :: stash_count && stash != 0 -> at = 2
        :: else -> at = 3
        fi
    fi
}

/* A place for a new key 0. */
inline room() {
    if
    :: buckets == 2 -> at = 1
    :: buckets == 1 && !taken -> at = 0
    :: else -> at = 2
    fi
}

inline publish(value) {
    if
    :: at == 2 && stash == 0 -> stash_count = 1; may_die()
    :: else
    fi;
    atomic {
        if
        :: at == 2 -> stash = value
        :: else -> words[at] = value
        fi
    };
    may_die()
}

inline set_key() {
    find();
    if
    :: at == 3 -> room()
    :: else
    fi;
    if
    :: at == 2 && stash == 0 -> stash_count = 1; may_die()
    :: else
    fi;
    atomic {
        numbers++;
        newest = numbers;
        there = true;
        if
        :: at == 2 -> stash = numbers
        :: else -> words[at] = numbers
        fi
    };
    may_die()
}

inline delete_key() {
    find();
    if
    :: at != 3 ->
        atomic {
            numbers++;
            newest = numbers;
            there = false;
            absent = true;
            if
            :: at == 2 -> stash = 0
            :: else -> words[at] = 0
            fi
        };
        may_die();
        if
        :: at == 2 -> stash_count = 0
        :: else
        fi
    :: else
    fi
}

/* index_grow. */
inline grow() {
    generation_raise();
    kind = INDEX;
    may_die();
    words[1] = 0;
    may_die();
    if
    :: taken -> value = 0
    :: else -> value = words[0]
    fi;
    words[1] = value;
    may_die();
#ifdef CLEAR_BEFORE_SIZE
    if
    :: value != 0 -> words[0] = 0; may_die()
    :: else
    fi;
#endif
    buckets = 2;
    may_die();
#ifndef SPLIT_UNCOUNTED
    count_move();
#endif
    if
    :: value != 0 -> words[0] = 0
    :: else
    fi;
    may_die()
}

inline count_move() {
#ifndef NO_INDEX_MOVES
    moves++;
#endif
    may_die()
}

/* undo_split. Bucket 0 is empty, or another key's. */
inline shrink() {
    value = words[1];
    if
    :: value != 0 ->
        if
        :: taken -> at = 2
        :: else -> at = 0
        fi;
        publish(value)
    :: else
    fi;
    buckets = 1;
    may_die();
    count_move();
    words[1] = 0;
    may_die();
    kind = FREE;
    may_die()
}

/* index_drain. */
inline drain() {
    at = buckets - 1;
#ifdef DRAIN_CLEARS_FIRST
    value = stash;
    stash = 0;
    may_die();
    words[at] = value;
    may_die();
    count_move();
#else
    words[at] = stash;
    may_die();
    count_move();
    stash = 0;
    may_die();
#endif
    stash_count = 0;
    may_die()
}

/* The extent takes records, which are gone again before anything else happens. */
inline reuse() {
    generation_raise();
    words[1] = RUBBISH;
    may_die()
}

/* guard_recount: words that do not belong where they are go, and so does the second of a key. */
inline recount() {
#ifndef NO_COUNT_AT_TAKE_OVER
    moves++;
#endif
    stash_count = 1;
    if
    :: buckets == 2 ->
        if
        :: words[0] != 0 && !taken -> words[0] = 0
        :: else
        fi
    :: else
    fi;
    find();
    if
    :: at != 2 && stash != 0 -> stash = 0
    :: else
    fi;
    stash_count = (stash != 0);
    kind = (buckets == 2 -> INDEX : FREE);
    sequence = (generation > sequence -> generation : sequence)
}

/* All writers one after the other, as the lock has it. */
proctype writer() {
    byte operations, at, value;
    bool taken; /* another key has bucket 0's word */
    do
    :: operations < OPERATIONS ->
        operations++;
        if
        :: true -> set_key()
        :: true -> delete_key()
        :: buckets == 1 && kind == FREE -> grow()
        :: buckets == 2 && (words[1] == 0 || !taken || stash == 0) -> shrink()
        :: stash != 0 && words[buckets - 1] == 0 && !(buckets == 1 && taken) -> drain()
        :: buckets == 1 && kind == FREE -> reuse()
        :: !taken && words[0] == 0 -> taken = true
        :: taken -> taken = false
        fi;
        goto let_go;
died:
        recount();
let_go:
        at = 0; value = 0
    :: else -> break
    od;
    taken = false;
    writer_ended = true
}

/* Reads key 0. */
proctype reader() {
    byte attempts, base, s, m, size, word, at;
    atomic { base = newest; absent = !there };
    do
    :: attempts == ATTEMPTS -> break /* lapped: a miss */
    :: attempts < ATTEMPTS ->
        attempts++;
#ifndef LATE_SEQUENCE
        s = sequence;
#endif
        m = moves;
        size = buckets;
#ifdef LATE_SEQUENCE
        s = sequence; /* as if a word found earlier came without its sequence */
#endif
        at = size - 1;
        word = words[at];
        if
        :: word == 0 && stash_count != 0 -> at = 2; word = stash
        :: else
        fi;
        if
        :: word == 0 ->
            if
            :: moves != m /* look again */
            :: moves == m -> assert(absent); break /* R2 */
            fi
        :: else ->
            if
#ifndef NO_WORD_REUSED
            :: at == 1 && generation > s /* its extent was reused meanwhile: look again */
            :: !(at == 1 && generation > s) ->
#else
            :: true ->
#endif
                assert(word != RUBBISH);                   /* R2: a word */
                assert(word >= base && word <= newest);    /* R2: not older than the read */
                /* mark_note: a compare-and-swap */
                atomic {
                    if
#ifdef BLIND_MARK
                    :: at == 1 -> assert(words[1] != RUBBISH)
#else
                    :: at == 1 && words[1] == word -> assert(words[1] != RUBBISH)
#endif
                    :: else
                    fi
                };
                break
            fi
        fi;
        s = 0; m = 0; size = 0; word = 0; at = 0
    od;
    read_ended = true
}

/* W1: when both have ended, key 0 is found as it was left. */
proctype audit() {
    byte word;
    writer_ended && read_ended;
    atomic {
        word = words[buckets - 1];
        if
        :: word == 0 && stash_count -> word = stash
        :: else
        fi;
        assert(there == (word != 0));
        assert(!there || word == newest)
    }
}

init {
    atomic {
        numbers = 1;
        newest = 1;
        there = true;
        words[1] = 1;
        run writer();
        run reader();
        run audit()
    }
}
