/* SPDX-License-Identifier: MIT
 *
 * flight.c: see flight.h.
 *
 * That an owner is dead is learnt from the kernel (process_alive), never under a shard's lock. An
 * owner is asked about when somebody first finds its lease, and then by the one who sleeps in
 * flight_wait, once in SLICE_MS: `watched` says whom to ask about. Who was found dead is noted in
 * `dead`, and its leases are taken by whoever finds them. Both are arrays by slot, of incarnations,
 * which never come back; they belong to the handle, and are looked at by two threads, the one that
 * calls and the one that waits.
 */
#include "flight.h"

#include "arguments.h"
#include "clock.h"
#include "guard.h"
#include "index.h"
#include "lease.h"
#include "os/os.h"
#include "process.h"
#include "tag.h"

#define SLICE_MS 2u

/* ------------------------------------------------------------ owners' lives */

static uint32_t slot_of(uint64_t owner) { return (uint32_t)owner - 1; }
static uint32_t incarnation_of(uint64_t owner) { return (uint32_t)(owner >> 32); }

/* Nobody, or nobody who ever was, is dead. */
static bool known_dead(const cache *c, uint64_t owner) {
    const uint32_t slot = slot_of(owner);
    return slot >= c->geometry.slots || incarnation_of(owner) == 0 ||
           load_u32_relaxed(&c->dead[slot]) == incarnation_of(owner);
}

/* Does the waiter look out for it? If not, it is asked about now, and from now on. */
static bool watch(cache *c, uint64_t owner) {
    uint32_t *watched = &c->watched[slot_of(owner)];
    if (load_u32_relaxed(watched) == incarnation_of(owner)) return true;
    if (!process_alive(c, owner)) {
        store_u32_relaxed(&c->dead[slot_of(owner)], incarnation_of(owner));
        return false;
    }
    store_u32_relaxed(watched, incarnation_of(owner));
    return true;
}

/* Did one of those die whom we look out for? */
static bool one_died(cache *c, uint64_t now_us) {
    bool died = false;
    c->asked_us = now_us;
    for (uint32_t i = 0; i < c->geometry.slots; i++) {
        const uint32_t incarnation = load_u32_relaxed(&c->watched[i]);
        if (incarnation == 0 || process_alive(c, (uint64_t)incarnation << 32 | (i + 1))) continue;
        store_u32_relaxed(&c->dead[i], incarnation);
        died = true;
    }
    return died;
}

static void forget_watched(cache *c) {
    for (uint32_t i = 0; i < c->geometry.slots; i++) store_u32_relaxed(&c->watched[i], 0);
}

/* ------------------------------------------------------------------ begin */

typedef struct flight {
    shard s;
    uint64_t hash;
    const void *key;
    uint32_t key_len;
} flight;

static int32_t aim(flight *f, const cache *c, const void *key, uint32_t key_len) {
    const int32_t status = key_check(key_len);
    if (status != FC_OK) return status;
    const uint64_t hash = fc_hash(key, key_len, c->hash_seed);
    *f = (flight){.s = shard_of(c, hash), .hash = hash, .key = key, .key_len = key_len};
    return FC_OK;
}

static void count(const cache *c, enum flight_counter counter) {
    add_u64_relaxed(&c->slot->flights[counter], 1);
}
static void count_taken_over(const shard *s) {
    const uint64_t before = load_u64_relaxed(&s->header->leases_taken_over);
    store_u64_relaxed(&s->header->leases_taken_over, before + 1);
}

/* Is there a value that the caller has not seen? */
static bool has_news(const flight *f, double seen_version) {
    found entry;
    if (seen_version < 0 || !index_find(&f->s, f->hash, f->key, f->key_len, &entry)) return false;
    return !record_over(f->s.cache, &entry.record) &&
           (double)record_version(&entry.record) != seen_version;
}

static int32_t give(const flight *f, lease_line *line, uint64_t until_ms, uint32_t fenced,
                    fc_lease *lease) {
    const cache *c = f->s.cache;
    const uint64_t token = lease_give(&f->s, line, f->hash, c->owner, until_ms, fenced);
    if (token == 0) return FC_LEASE_REFUSED;
    lease->token = (double)token;
    lease->fenced = fenced;
    return FC_LEASE_TAKEN;
}

static double left_ms(const lease_line *line, uint64_t now_ms) {
    const uint64_t until_ms = load_u64_relaxed(&line->until_ms);
    return until_ms > now_ms ? (double)(until_ms - now_ms) : 0;
}

/* Frees the lines near the key's whose owners are dead: false if there are none. */
static bool bury(const flight *f, lease_news *news) {
    bool any = false;
    for (uint32_t i = 0; i < LEASE_WAYS; i++) {
        lease_line *line = lease_way(&f->s, f->hash, i);
        if (lease_state(line) != LEASE_HELD) continue;
        if (!known_dead(f->s.cache, load_u64_relaxed(&line->as.held.owner))) continue;
        lease_merge(news, lease_free(&f->s, line));
        any = true;
    }
    return any;
}

/* The same without the lock: finds out about owners of whom nothing is known. */
static bool ask_near(const flight *f, cache *c) {
    bool any = false;
    for (uint32_t i = 0; i < LEASE_WAYS; i++) {
        const lease_line *line = lease_way(&f->s, f->hash, i);
        const uint64_t owner = load_u64_relaxed(&line->as.held.owner);
        if (lease_state(line) != LEASE_HELD || known_dead(c, owner) || process_alive(c, owner))
            continue;
        store_u32_relaxed(&c->dead[slot_of(owner)], incarnation_of(owner));
        any = true;
    }
    return any;
}

/* Somebody holds it. */
static int32_t contend(const flight *f, lease_line *line, uint64_t now_ms, uint64_t until_ms,
                       bool force, uint64_t *owner, fc_lease *lease) {
    const uint32_t fenced = lease_number(line);
    *owner = load_u64_relaxed(&line->as.held.owner);
    if (force) {
        uint64_t *count_fenced = &f->s.header->leases_fenced;
        store_u64_relaxed(count_fenced, load_u64_relaxed(count_fenced) + 1);
        return give(f, line, until_ms, fenced + 1, lease);
    }
    if (lease_over(line, now_ms) || known_dead(f->s.cache, *owner)) {
        count_taken_over(&f->s);
        return give(f, line, until_ms, 0, lease);
    }
    lease_wait_in(line, f->s.cache->slot_index);
    lease->token = (double)load_u64_relaxed(&line->as.held.token);
    lease->left_ms = left_ms(line, now_ms);
    lease->fenced = fenced;
    return FC_LEASE_HELD;
}

/* With the lock held. If another holds the lease, *owner is who. */
static int32_t compete(const flight *f, double lease_ms, bool force, uint64_t *owner,
                       lease_news *news, fc_lease *lease) {
    const shard *s = &f->s;
    const uint64_t now_ms = clock_now_ms(s->cache), until_ms = now_ms + (uint64_t)lease_ms + 1;
    lease_line *line = lease_find(s, f->hash, now_ms, news);
    const enum lease_state state = line ? lease_state(line) : LEASE_FREE;
    if (state == LEASE_HELD) return contend(f, line, now_ms, until_ms, force, owner, lease);
    if (state == LEASE_VACANT) return give(f, line, until_ms, lease_number(line), lease);
    if (state == LEASE_FREE) {
        const int32_t status = give(f, NULL, until_ms, 0, lease);
        if (likely(status == FC_LEASE_TAKEN) || !bury(f, news)) return status;
        return give(f, NULL, until_ms, 0, lease);
    }
    if (force) {
        (void)lease_free(s, line);
        return give(f, NULL, until_ms, 0, lease);
    }
    lease->left_ms = left_ms(line, now_ms);
    if (state == LEASE_FAILED) {
        lease->text_len = lease_text(s, line, lease->text);
        return FC_LEASE_FAILED;
    }
    lease->token = (double)load_u64_relaxed(&line->as.held.token);
    return FC_LEASE_SHARED;
}

static int32_t begin(const flight *f, double lease_ms, uint32_t flags, double seen_version,
                     uint64_t *owner, fc_lease *lease) {
    lease_news news = {0, 0};
    int32_t status = guard_lock(&f->s);
    if (status != FC_OK) return status;
    if (has_news(f, seen_version))
        status = FC_LEASE_FRESH;
    else
        status = compete(f, lease_ms, flags & FC_LEASE_FORCE, owner, &news, lease);
    guard_unlock(&f->s);
    lease_tell(f->s.cache, news);
    return status;
}

int32_t flight_begin(cache *c, const void *key, uint32_t key_len, double lease_ms, uint32_t flags,
                     double seen_version, fc_lease *lease) {
    flight f;
    int32_t status = aim(&f, c, key, key_len);
    if (status != FC_OK) return status;
    if (!(lease_ms > 0 && lease_ms <= FC_LEASE_MS_MAX) || flags & ~FC_LEASE_FORCE ||
        !(seen_version <= (double)VERSION_MASK))
        return FC_INVALID_ARGUMENT;
    *lease = (fc_lease){.kind = lease_kind(f.hash)};
    uint64_t owner = 0;
    status = begin(&f, lease_ms, flags, seen_version, &owner, lease);
    if ((status == FC_LEASE_HELD && !watch(c, owner)) ||
        (status == FC_LEASE_REFUSED && ask_near(&f, c)))
        status = begin(&f, lease_ms, flags, seen_version, &owner, lease);
    return status;
}

/* -------------------------------------------------------------------- end */

static int32_t end(const flight *f, double token, uint32_t how, uint64_t until_ms, const void *text,
                   uint32_t text_len, lease_news *news) {
    const shard *s = &f->s;
    if (!lease_allows(s, f->hash, token)) return FC_MISS;
    lease_line *line = lease_find(s, f->hash, clock_now_ms(s->cache), news);
    if (!line || lease_state(line) != LEASE_HELD) return FC_MISS;
    lease_news more;
    if (how == FC_LEASE_PASS)
        more = lease_free(s, line);
    else if (how == FC_LEASE_FAIL)
        more = lease_fail(s, line, until_ms, text, text_len);
    else
        more = lease_give_up(line, until_ms);
    lease_merge(news, more);
    return FC_OK;
}

int32_t flight_end(const cache *c, const void *key, uint32_t key_len, double token, uint32_t how,
                   double ms, const void *text, uint32_t text_len) {
    flight f;
    int32_t status = aim(&f, c, key, key_len);
    if (status != FC_OK) return status;
    if (how > FC_LEASE_GIVE_UP || text_len > FC_LEASE_TEXT_MAX ||
        (how != FC_LEASE_PASS && !(ms > 0 && ms <= FC_LEASE_MS_MAX)))
        return FC_INVALID_ARGUMENT;
    lease_news news = {0, 0};
    const uint64_t until_ms = clock_now_ms(c) + (how == FC_LEASE_PASS ? 0 : (uint64_t)ms);
    status = guard_lock(&f.s);
    if (status != FC_OK) return status;
    status = end(&f, token, how, until_ms, text, text_len, &news);
    guard_unlock(&f.s);
    lease_tell(c, news);
    return status;
}

/* ----------------------------------------------------------------- waiting */

static uint32_t take_news(process_slot *slot) {
    uint64_t woken = load_u64_relaxed(&slot->woken);
    while (woken != 0 && !cas_u64_acquire(&slot->woken, &woken, 0)) continue; /* pairs with wake */
    return (uint32_t)woken & (LEASE_KINDS_ALL | LEASE_KIND_CALLED);
}

int32_t flight_wait(cache *c, double timeout_ms) {
    if (!(timeout_ms >= 0 && timeout_ms <= FC_LEASE_MS_MAX)) return FC_INVALID_ARGUMENT;
    const uint64_t until_us = os_uptime_us() + (uint64_t)(timeout_ms * 1000);
    for (;;) {
        if (load_u32_relaxed(&c->closing)) return FC_CLOSED;
        const uint64_t now_us = os_uptime_us();
        const bool has_news = load_u64_relaxed(&c->slot->woken) != 0;
        /* Those whom news keep awake ask no more often than those who sleep. */
        if ((!has_news || now_us - c->asked_us >= SLICE_MS * 1000) && one_died(c, now_us)) {
            forget_watched(c);
            return (int32_t)LEASE_KINDS_ALL;
        }
        const uint32_t kinds = take_news(c->slot);
        if (kinds != 0) return (int32_t)kinds;
        if (now_us >= until_us) {
            forget_watched(c);
            return 0;
        }
        const uint64_t wait_us = min_u64(until_us - now_us, SLICE_MS * 1000);
        os_wait((uint32_t *)&c->slot->woken, 0, (uint32_t)wait_us);
    }
}

void flight_wake(const cache *c) { lease_wake(c->slot, LEASE_KIND_CALLED); }

int32_t flight_note(const cache *c, uint32_t what) {
    if (what >= FLIGHT_COUNTERS) return FC_INVALID_ARGUMENT;
    count(c, (enum flight_counter)what);
    return FC_OK;
}
