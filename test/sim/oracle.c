/* SPDX-License-Identifier: MIT
 *
 * oracle.c: see oracle.h.
 */
#include "oracle.h"

#include <string.h>

#include "hooks.h"
#include "system.h"
#include "world.h"

#define ZONES 96u
#define ABSENCES 24u
#define TOUCHES 12u

typedef struct zone {
    uint64_t id;
    uint64_t begin, end; /* of the call that stored it; end is NEVER while it may still do so */
    uint64_t first_end;  /* of the calls that stored or saw it; NEVER if it was not stored yet */
    uint64_t last_begin;
    uint64_t version; /* 0 if not known */
    due deadline;
    bool refused, replaced;
} zone;

typedef struct touch {
    uint64_t end; /* NEVER while it goes on */
    due deadline;
} touch;

typedef struct truth {
    zone zones[ZONES];
    zone absences[ABSENCES];
    touch touches[TOUCHES];
    touch forgotten; /* what is left of older touches, taken together */
    uint32_t zone_count, absence_count, touch_count;
    uint32_t removing;        /* calls that may remove it */
    uint64_t removed_end;     /* end of the last one that is over */
    uint64_t invalidated_end; /* and of the last of them that deleted its tag */
    uint32_t adding, lost;    /* increments that go on; that died */
} truth;

static truth truths[SIM_SLOTS][ORACLE_KEYS_MAX];
static uint64_t lives[SIM_SLOTS];
static uint64_t clock;
static bool roomy;

void oracle_begin(const settings *s) {
    for (uint32_t i = 0; i < SIM_SLOTS; i++) lives[i] = 0;
    roomy = s->roomy;
    clock = 1;
}
uint64_t oracle_now(void) { return ++clock; }

static truth *truth_of(uint32_t slot, uint32_t key) {
    if (lives[slot] != system_slot_life(slot)) {
        lives[slot] = system_slot_life(slot);
        for (uint32_t i = 0; i < ORACLE_KEYS_MAX; i++) {
            truth *t = &truths[slot][i];
            t->zone_count = t->absence_count = t->touch_count = 0;
            t->removing = t->adding = t->lost = 0;
            t->removed_end = t->invalidated_end = 0;
            t->forgotten = (touch){0, {NEVER, 0}};
        }
    }
    return &truths[slot][key];
}

/* ------------------------------------------------------------------- zones */

static bool forward(const zone *z) { return z->first_end < z->last_begin; }
static uint64_t max_of(uint64_t a, uint64_t b) { return a > b ? a : b; }
static uint64_t min_of(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Is there no order of the two? */
static bool clash(const zone *a, const zone *b) {
    if (a->first_end == NEVER || b->first_end == NEVER) return false;
    if (forward(a) && forward(b))
        return max_of(a->first_end, b->first_end) < min_of(a->last_begin, b->last_begin);
    if (forward(a)) return a->first_end < b->last_begin && b->first_end < a->last_begin;
    if (forward(b)) return b->first_end < a->last_begin && a->first_end < b->last_begin;
    return false;
}

static const zone *clash_of(const truth *t, const zone *z) {
    for (uint32_t i = 0; i < t->zone_count; i++)
        if (t->zones[i].id != z->id && clash(&t->zones[i], z)) return &t->zones[i];
    for (uint32_t i = 0; i < t->absence_count; i++)
        if (z->id != 0 && clash(&t->absences[i], z)) return &t->absences[i];
    return NULL;
}

static bool before(const zone *a, const zone *b) {
    return a->first_end != NEVER && b->first_end != NEVER && a->first_end < b->last_begin;
}

static void check_versions(const truth *t, uint32_t key, const zone *z) {
    for (uint32_t i = 0; z->version && i < t->zone_count; i++) {
        const zone *o = &t->zones[i];
        if (o->id == z->id || o->version == 0) continue;
        if (o->version == z->version || (before(o, z) && o->version > z->version) ||
            (before(z, o) && z->version > o->version))
            world_broken("versions", "key %u: value %llx has version %llu, value %llx has %llu",
                         key, (unsigned long long)o->id, (unsigned long long)o->version,
                         (unsigned long long)z->id, (unsigned long long)z->version);
    }
}

static void settle(const truth *t, uint32_t key, const zone *z) {
    const zone *other = clash_of(t, z);
    if (!other) return;
    world_broken("order",
                 "key %u: value %llx (0 is a miss) held from %llu to %llu, value %llx from %llu to "
                 "%llu",
                 key, (unsigned long long)z->id, (unsigned long long)z->first_end,
                 (unsigned long long)z->last_begin, (unsigned long long)other->id,
                 (unsigned long long)other->first_end, (unsigned long long)other->last_begin);
}

static zone *zone_of(truth *t, uint64_t id) {
    for (uint32_t i = t->zone_count; i-- > 0;)
        if (t->zones[i].id == id) return &t->zones[i];
    return NULL;
}

/* Who is told least by goes: refused, never seen, else what was last seen longest ago. */
static zone *zone_room(truth *t) {
    if (t->zone_count < ZONES) return &t->zones[t->zone_count++];
    uint32_t oldest = 0;
    for (uint32_t i = 0; i < ZONES; i++) {
        const zone *z = &t->zones[i], *o = &t->zones[oldest];
        if (z->end == NEVER) continue;
        if (o->end == NEVER || z->last_begin < o->last_begin) oldest = i;
    }
    memmove(&t->zones[oldest], &t->zones[oldest + 1], (ZONES - 1 - oldest) * sizeof(zone));
    return &t->zones[ZONES - 1];
}

/* ----------------------------------------------------------------- storing */

void oracle_stores(uint32_t slot, uint32_t key, uint64_t id, due deadline) {
    truth *t = truth_of(slot, key);
    const uint64_t now = oracle_now();
    *zone_room(t) = (zone){.id = id,
                           .begin = now,
                           .end = NEVER,
                           .first_end = NEVER,
                           .last_begin = now,
                           .deadline = deadline};
}

void oracle_stored(uint32_t slot, uint32_t key, uint64_t id, uint64_t begin, bool done,
                   due deadline) {
    truth *t = truth_of(slot, key);
    zone *z = zone_of(t, id);
    const uint64_t now = oracle_now();
    if (!z) return; /* so long ago that it was forgotten */
    z->end = now;
    if (!done) {
        if (z->first_end != NEVER)
            world_broken("refused", "key %u: value %llx was refused, but seen before", key,
                         (unsigned long long)id);
        z->refused = true;
        return;
    }
    z->deadline = deadline;
    z->first_end = min_of(z->first_end, now);
    z->last_begin = max_of(z->last_begin, begin);
    settle(t, key, z);
    check_versions(t, key, z);
}

void oracle_adds(uint32_t slot, uint32_t key) { truth_of(slot, key)->adding++; }

void oracle_added(uint32_t slot, uint32_t key, uint64_t id, uint64_t was, uint64_t begin,
                  bool done) {
    truth *t = truth_of(slot, key);
    t->adding--;
    if (!done) return;
    const uint64_t now = oracle_now();
    zone *z = zone_of(t, id);
    if (z && z->end != NEVER)
        world_broken("increment", "key %u: two increments gave %llx", key, (unsigned long long)id);
    if (!z) {
        z = zone_room(t);
        *z = (zone){.id = id, .begin = begin, .first_end = NEVER, .deadline = {NEVER, NEVER}};
    }
    z->begin = begin;
    z->end = now;
    z->first_end = min_of(z->first_end, now);
    z->last_begin = max_of(z->last_begin, begin);
    settle(t, key, z);
    if (was) oracle_saw(slot, key, was, 0, begin, 0);
}

void oracle_store_died(uint32_t slot, uint32_t key, uint64_t id) {
    zone *z = zone_of(truth_of(slot, key), id);
    if (z && z->end == NEVER) z->end = oracle_now();
}

void oracle_add_died(uint32_t slot, uint32_t key) {
    truth *t = truth_of(slot, key);
    t->adding--;
    t->lost++;
}

/* ------------------------------------------------------------------ seeing */

static bool removal_after(const truth *t, uint64_t time) {
    return t->removing > 0 || t->removed_end > time;
}

/* The latest deadline that the value can have had. */
static uint64_t latest_deadline(const truth *t, const zone *z) {
    uint64_t most_ms = z->deadline.most_ms;
    if (t->forgotten.end > z->begin) most_ms = max_of(most_ms, t->forgotten.deadline.most_ms);
    for (uint32_t i = 0; i < t->touch_count; i++)
        if (t->touches[i].end > z->begin) most_ms = max_of(most_ms, t->touches[i].deadline.most_ms);
    return most_ms;
}

void oracle_saw(uint32_t slot, uint32_t key, uint64_t id, uint64_t version, uint64_t begin,
                uint64_t began_ms) {
    truth *t = truth_of(slot, key);
    const uint64_t now = oracle_now();
    zone *z = zone_of(t, id);
    if (!z && id >> 63 && t->adding + t->lost > 0) {
        /* Some increment stored it, which has not told, or never will. */
        z = zone_room(t);
        *z = (zone){.id = id, .end = NEVER, .first_end = NEVER, .deadline = {NEVER, NEVER}};
    }
    if (!z && t->zone_count < ZONES)
        world_broken("foreign", "key %u: value %llx was never stored there", key,
                     (unsigned long long)id);
    if (!z) return; /* forgotten */
    if (z->refused)
        world_broken("refused", "key %u: value %llx was refused, but is there", key,
                     (unsigned long long)id);
    if (version && z->version && version != z->version)
        world_broken("versions", "key %u: value %llx has version %llu, and had %llu", key,
                     (unsigned long long)id, (unsigned long long)version,
                     (unsigned long long)z->version);
    if (version) z->version = version;
    if (latest_deadline(t, z) <= began_ms)
        world_broken("expired", "key %u: value %llx was seen at %llu ms, but expired at %llu", key,
                     (unsigned long long)id, (unsigned long long)began_ms,
                     (unsigned long long)latest_deadline(t, z));
    z->first_end = min_of(z->first_end, now);
    z->last_begin = max_of(z->last_begin, begin);
    settle(t, key, z);
    check_versions(t, key, z);
}

void oracle_replaced(uint32_t slot, uint32_t key, uint64_t id, uint64_t begin) {
    truth *t = truth_of(slot, key);
    zone *z = zone_of(t, id);
    if (!z) return;
    if (z->replaced)
        world_broken("twice", "key %u: value %llx was replaced by two compare-and-sets", key,
                     (unsigned long long)id);
    z->replaced = true;
    z->first_end = min_of(z->first_end, oracle_now());
    z->last_begin = max_of(z->last_begin, begin);
    settle(t, key, z);
}

/* ----------------------------------------------------------------- missing */

static bool may_have_expired(const truth *t, uint64_t last_begin, uint64_t now_ms) {
    for (uint32_t i = 0; i < t->zone_count; i++) {
        const zone *z = &t->zones[i];
        if (z->refused || min_of(z->end, z->first_end) < last_begin) continue;
        if (z->deadline.least_ms <= now_ms) return true;
    }
    for (uint32_t i = 0; i < t->touch_count; i++)
        if (t->touches[i].end > last_begin && t->touches[i].deadline.least_ms <= now_ms)
            return true;
    return t->forgotten.end > last_begin && t->forgotten.deadline.least_ms <= now_ms;
}

/* Can what was stored last be older than a deletion of its tag? */
static bool may_be_dead(const truth *t, uint64_t last_begin) {
    for (uint32_t i = 0; i < t->zone_count; i++) {
        const zone *z = &t->zones[i];
        if (z->refused || min_of(z->end, z->first_end) < last_begin) continue;
        if (z->begin < t->invalidated_end) return true;
    }
    return false;
}

/* Can the key have been absent at some time since `begin`? */
static bool explained(const truth *t, uint64_t begin) {
    if (!roomy) return true;
    uint64_t last_begin = 0; /* of those that were stored for certain by then */
    bool any = false;
    for (uint32_t i = 0; i < t->zone_count; i++) {
        const zone *z = &t->zones[i];
        if (z->first_end >= begin) continue;
        any = true;
        last_begin = max_of(last_begin, z->begin);
    }
    if (!any || removal_after(t, last_begin) || may_be_dead(t, last_begin)) return true;
    return may_have_expired(t, last_begin, world_now_us() / 1000);
}

bool oracle_must_be_there(uint32_t slot, uint32_t key, uint64_t begin) {
    return !explained(truth_of(slot, key), begin);
}

static void note_absence(truth *t, uint32_t key, uint64_t begin) {
    const zone absence = {.first_end = oracle_now(), .last_begin = begin};
    if (t->absence_count == ABSENCES)
        memmove(t->absences, t->absences + 1, (--t->absence_count) * sizeof(zone));
    t->absences[t->absence_count++] = absence;
    settle(t, key, &absence);
}

/* No operation can look at the clock and store a deadline at once. So a touch that is held up between
 * the two may bring back what others have missed, once, because its deadline had passed; and who has
 * read the old deadline may miss what is touched meanwhile. */
static bool touched_since(const truth *t, uint64_t begin) {
    for (uint32_t i = 0; i < t->touch_count; i++)
        if (t->touches[i].end > begin) return true;
    return t->forgotten.end > begin;
}

void oracle_missed(uint32_t slot, uint32_t key, uint64_t begin) {
    truth *t = truth_of(slot, key);
    if (!explained(t, begin))
        world_broken("lost", "key %u was stored, and nothing can have removed it, but it is gone",
                     key);
    if (!touched_since(t, begin) || !may_have_expired(t, 0, world_now_us() / 1000))
        note_absence(t, key, begin);
}

void oracle_was_there(uint32_t slot, uint32_t key, uint64_t begin, const char *by) {
    const truth *t = truth_of(slot, key);
    const uint64_t now = oracle_now();
    if (t->adding + t->lost > 0) return;
    for (uint32_t i = t->zone_count; i-- > 0;) {
        zone z = t->zones[i];
        if (z.refused) continue;
        z.first_end = min_of(z.first_end, now);
        z.last_begin = max_of(z.last_begin, begin);
        if (!clash_of(t, &z)) return;
    }
    if (t->zone_count < ZONES)
        world_broken("ghost", "key %u: %s found something, but nothing can have been there", key,
                     by);
}

void oracle_removes(uint32_t slot, uint32_t key) { truth_of(slot, key)->removing++; }

void oracle_removed(uint32_t slot, uint32_t key, uint64_t begin, bool gone) {
    truth *t = truth_of(slot, key);
    t->removing--;
    t->removed_end = oracle_now();
    if (gone) note_absence(t, key, begin);
}

void oracle_invalidated(uint32_t slot, uint32_t key, uint64_t begin, bool gone) {
    oracle_removed(slot, key, begin, gone);
    truth_of(slot, key)->invalidated_end = oracle_now();
}

void oracle_touches(uint32_t slot, uint32_t key, due deadline) {
    truth *t = truth_of(slot, key);
    if (t->touch_count == TOUCHES) {
        touch *all = &t->forgotten;
        const touch *first = &t->touches[0];
        all->end = max_of(all->end, first->end);
        all->deadline.least_ms = min_of(all->deadline.least_ms, first->deadline.least_ms);
        all->deadline.most_ms = max_of(all->deadline.most_ms, first->deadline.most_ms);
        memmove(t->touches, t->touches + 1, (--t->touch_count) * sizeof(touch));
    }
    t->touches[t->touch_count++] = (touch){NEVER, deadline};
}

void oracle_touched(uint32_t slot, uint32_t key, due deadline) {
    truth *t = truth_of(slot, key);
    for (uint32_t i = 0; i < t->touch_count; i++) {
        touch *it = &t->touches[i];
        if (it->end != NEVER || it->deadline.least_ms != deadline.least_ms) continue;
        it->end = oracle_now();
        return;
    }
}
