/* SPDX-License-Identifier: MIT
 *
 * read.pml models the protocol between the lock-free reader (core/read.c) and writers that may die
 * or be stopped at each step (core/log.c, entry.c, lock.c, shard.c), for Spin. test/model/run.sh
 * checks it, and that it fails for each part of the protocol left out.
 *
 * One shard with two keys and three extents of one record each; a free extent is one that no
 * index word names, and any of them may be opened next. A record is two halves; each bears the
 * number of the set that wrote it, and the first one stands for the key too (key_of its number).
 * Two writers set and delete; whoever finds the lock in a dead writer's hands takes over.
 *
 * Properties
 *   R1  the reader ends whatever the writers do: it has no statement that can block, its loop is
 *       bounded, and `ltl ends` says so (a writer may be stopped for ever at any step).
 *   R2  a hit is whole, of the key asked for, and was the newest at some time during the read; a
 *       miss means that the key was absent at some time during the read (or that the reader was
 *       lapped ATTEMPTS times). Assertions in `reader`.
 *   W1  after any death the old value or the new one is readable. Assertions in `reader`, which
 *       runs on after the deaths, and in `audit` at the end.
 *   W2  only a dead owner's lock is taken over, by one writer: `mine` before each store. A stopped
 *       owner makes the other writer give up: `ltl ends`, and no invalid end state. Who gives up
 *       at once does so because somebody has waited in vain for this very acquisition: `in_vain`.
 *
 * Memory order. Spin interleaves whole steps; what a weaker machine may do is spelled out:
 *   - stores between the release fence and the word's release store (the sequence, the record's
 *     bytes) become visible in any order: `write_record` picks the order freely. The sequence's own
 *     release store keeps it behind the generation, and later plain stores may overtake it.
 *   - loads between the word's acquire load and the acquire fence (the record's bytes) happen in any
 *     order: `load_record` picks it freely.
 *   - the release fence keeps the generation before the bytes, the acquire fence keeps its check
 *     behind their loads: without either (NO_RELEASE_FENCE, NO_ACQUIRE_FENCE) they join the others.
 *   - the lock's acquire and release order what one writer does after the other.
 * That the C code has these orders on real memory is what test/race/ checks.
 */

#define KEYS 2
#define EXTENTS 3
#ifndef ATTEMPTS
#define ATTEMPTS 2 /* 8 in read.c */
#endif
#define TRIES 1    /* slices of waiting for the lock */
#ifndef OPERATIONS
#define OPERATIONS 1 /* of each writer */
#endif
#ifndef READS
#define READS 1
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef STOPS
#define STOPS 0
#endif

/* The segment. */
byte sequence = 1;
byte generation[EXTENTS];
byte half_a[EXTENTS];
byte half_b[EXTENTS];
byte word[KEYS]; /* extent + 1, or 0 */
/* The lock word: owner, W and `since` (the number of the acquisition stands for the time), S. */
byte lock;       /* writer + 1, or 0 */
byte since;      /* 0: nobody waits */
bool stalled;

/* The kernel's knowledge. */
bool dead[2];

/* What only the properties know. */
byte numbers;         /* given to values and to deletions */
byte newest[KEYS];    /* number of the last change */
bool there[KEYS];     /* was it a set? */
byte key_of[16];      /* of a number */
bool absent;          /* key 0, at some time during the read */
byte deaths, stops;
byte acquisitions;    /* of the lock, ever */
byte in_vain;         /* the last that somebody has waited for as long as he may */
byte running = 2;
bool read_ended;

inline may_end() {
    if
    :: skip
    :: atomic { deaths < DEATHS -> deaths++; dead[me] = true; running--; goto gone }
    :: atomic { stops < STOPS -> stops++; running--; goto stopped }
    fi
}

/* W2 */
inline mine() { assert(lock == me + 1) }

inline take() {
    lock = me + 1;
    since = 0;
    stalled = false;
    acquisitions++
}

/* clean.c gives out extents that no word names. */
inline choose_extent() {
    if
    :: word[0] != 1 && word[1] != 1 -> e = 0
    :: word[0] != 2 && word[1] != 2 -> e = 1
    :: word[0] != 3 && word[1] != 3 -> e = 2
    fi
}

inline publish() {
    atomic {
        mine();
        word[k] = e + 1;
        newest[k] = n;
        there[k] = true;
    }
    may_end()
}

/* generation_raise and append_record: stores that nothing orders among each other. */
inline write_record() {
    left = 7;
#ifdef NO_RELEASE_FENCE
    left = 15;
#elif !defined(NO_GENERATION)
    mine();
    generation[e] = sequence + 1;
    may_end();
#endif
    raised = sequence + 1;
    do
    :: left & 1 -> mine(); sequence = raised; left = left & ~1; may_end()
    :: left & 2 -> mine(); half_a[e] = n; left = left & ~2; may_end()
    :: left & 4 -> mine(); half_b[e] = n; left = left & ~4; may_end()
    :: left & 8 -> mine(); generation[e] = raised; left = left & ~8; may_end()
    :: left == 0 -> break
    od;
    raised = 0
}

inline set_key() {
    choose_extent();
    atomic { numbers++; n = numbers; key_of[n] = k };
#ifdef PUBLISH_EARLY
    publish();
    write_record()
#else
    write_record();
    publish()
#endif
}

inline delete_key() {
    atomic {
        mine();
        numbers++;
        word[k] = 0;
        newest[k] = numbers;
        there[k] = false;
        if
        :: k == 0 -> absent = true
        :: else
        fi
    }
    may_end()
}

/* shard_recount: the dead owner may have raised a generation and not yet the sequence. */
inline recount() {
    raised = sequence;
    e = 0;
    do
    :: e < EXTENTS ->
        if
        :: generation[e] > raised -> raised = generation[e]
        :: else
        fi;
        e++
    :: else -> break
    od;
    mine();
    sequence = raised;
    may_end()
}

proctype writer(byte me) {
    byte operations, tries, waited, e, k, n, left, raised; /* set back after use: fewer states */
    do
    :: operations < OPERATIONS ->
        operations++;
        tries = 0;
        do
        :: atomic { lock == 0 -> take(); break }
#ifdef TAKE_LIVE
        :: atomic { lock != 0 -> take(); break }
#endif
        :: atomic { lock != 0 && dead[lock - 1] -> take() }; may_end(); recount(); break
        :: atomic { lock != 0 && stalled && !dead[lock - 1] ->
            assert(in_vain == acquisitions); /* W2 */
            goto busy
           }
        :: atomic { lock != 0 && waited == 0 && since == 0 -> since = acquisitions }; may_end()
        :: atomic { lock != 0 && waited == 0 && since != 0 -> waited = since }; may_end()
        :: waited != 0 && tries < TRIES -> tries++
        :: waited != 0 && tries == TRIES && lock != 0 && !dead[lock - 1] ->
            atomic {
                if
#ifdef MARK_ANY
                :: lock != 0 -> stalled = true
#endif
                :: lock != 0 && since == waited -> stalled = true; in_vain = acquisitions
                :: else
                fi
            };
            goto busy
        od;
        may_end();
        if
        :: k = 0
        :: k = 1
        fi;
        if
        :: set_key()
        :: delete_key()
        fi;
        mine();
        atomic { lock = 0; since = 0; stalled = false };
busy:
        e = 0; k = 0; n = 0; raised = 0; tries = 0; waited = 0;
        may_end()
    :: else -> break
    od;
    running--;
    goto gone;
stopped:
end_stopped:
    false;
gone:
    skip
}

inline load_record() {
    left = 3;
#ifdef NO_ACQUIRE_FENCE
    left = 7;
#endif
    do
    :: left & 1 -> a = half_a[e]; left = left & ~1
    :: left & 2 -> b = half_b[e]; left = left & ~2
    :: left & 4 -> g = generation[e]; left = left & ~4
    :: left == 0 -> break
    od;
#ifndef NO_ACQUIRE_FENCE
    g = generation[e]
#endif
}

/* Reads key 0. */
proctype reader() {
    byte reads, attempts, base, s, e, a, b, g, left;
    do
    :: reads < READS ->
        reads++;
        attempts = 0;
        atomic { base = newest[0]; absent = !there[0] };
        do
        :: attempts == ATTEMPTS -> break /* lapped: a miss */
        :: attempts < ATTEMPTS ->
            attempts++;
            s = sequence;
            e = word[0];
            if
            :: e == 0 -> assert(absent); break
            :: else
            fi;
            e--;
            load_record();
            if
            :: g > s /* reused meanwhile: look again */
            :: g <= s && key_of[a] != 0 -> assert(absent); break
            :: g <= s && key_of[a] == 0 ->
                assert(a == b);                      /* R2: whole, and of this key */
                assert(a >= base && a <= newest[0]); /* R2: not older than the read */
                break
            fi
        od;
        base = 0; s = 0; e = 0; a = 0; b = 0; g = 0
    :: else -> break
    od;
    read_ended = true
}

/* W1: when everybody has ended, each key's word names its newest value, whole, or nothing. */
proctype audit() {
    byte k;
    running == 0 && read_ended;
    atomic {
        do
        :: k < KEYS ->
            assert(there[k] == (word[k] != 0));
            if
            :: there[k] ->
                assert(half_a[word[k] - 1] == newest[k] && half_b[word[k] - 1] == newest[k]);
                assert(generation[word[k] - 1] <= sequence)
            :: else
            fi;
            k++
        :: else -> break
        od
    }
}

/* Key 0 is there at the beginning, in extent 0. */
init {
    atomic {
        numbers = 1;
        newest[0] = 1;
        there[0] = true;
        word[0] = 1;
        half_a[0] = 1;
        half_b[0] = 1;
        generation[0] = 1;
        run writer(0);
        run writer(1);
        run reader();
        run audit()
    }
}

ltl ends { <> (read_ended && running == 0) }
