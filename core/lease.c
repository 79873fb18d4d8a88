/* SPDX-License-Identifier: MIT
 *
 * lease.c: see lease.h. A line's `state` is stored last when it comes into use, and first when it
 * goes out of it.
 */
#include "lease.h"

#include "clock.h"
#include "include/fastcache.h"
#include "lock.h"
#include "os/os.h"

/* How long a fenced lease is remembered while nobody takes it: waiters come at once. */
#define VACANT_MS 1000u
/* Who looks at a line may read the clock a little behind its owner. */
#define CLOCKS_DIFFER_MS 1000u

FC_LAYOUT_ASSERT(LEASE_KIND_CALLED <= INT32_MAX);
FC_LAYOUT_ASSERT(FC_LEASE_TEXT_MAX == 5 * LEASE_TEXT_BYTES);

static uint64_t hash_of(const lease_line *line) { return load_u64_relaxed(&line->hash); }

bool lease_over(const lease_line *line, uint64_t now_ms) {
    const uint64_t until_ms = load_u64_relaxed(&line->until_ms);
    return until_ms <= now_ms || until_ms - now_ms > (uint64_t)FC_LEASE_MS_MAX + CLOCKS_DIFFER_MS;
}

static void count(const shard *s, bool comes) {
    const uint64_t held = load_u64_relaxed(&s->header->leases_held);
    if (!comes && held == 0) return;
    store_u64_relaxed(&s->header->leases_held, comes ? held + 1 : held - 1);
}

/* The line's other words are there. Whoever takes the lock over from us finds it as it is then. */
static void state_store(lease_line *line, enum lease_state state, uint64_t number) {
    store_u64_release(&line->state, state | number << LEASE_NUMBER_SHIFT);
}

static lease_news waiters_of(const lease_line *line) {
    /* Who was about to tell them of a fenced one may have died: whoever comes next does so too. */
    if (lease_state(line) != LEASE_HELD && lease_state(line) != LEASE_VACANT)
        return (lease_news){0, 0};
    return (lease_news){load_u64_relaxed(&line->as.held.waiters), lease_kind(hash_of(line))};
}

static void drop(const shard *s, lease_line *line) {
    state_store(line, LEASE_FREE, 0);
    count(s, false);
}

/* With the rest of its message. */
static void drop_failed(const shard *s, lease_line *line) {
    const uint64_t hash = hash_of(line);
    for (uint32_t i = 0; i < LEASE_WAYS; i++)
        if (lease_state(lease_way(s, hash, i)) == LEASE_TEXT &&
            hash_of(lease_way(s, hash, i)) == hash)
            drop(s, lease_way(s, hash, i));
    drop(s, line);
}

lease_news lease_free(const shard *s, lease_line *line) {
    const lease_news news = waiters_of(line);
    if (lease_state(line) == LEASE_FAILED)
        drop_failed(s, line);
    else
        drop(s, line);
    return news;
}

lease_line *lease_find(const shard *s, uint64_t hash, uint64_t now_ms, lease_news *news) {
    lease_line *own = NULL;
    if (!lock_is_ours(s->cache, s->header)) return NULL;
    for (uint32_t i = 0; i < LEASE_WAYS; i++) {
        lease_line *line = lease_way(s, hash, i);
        const enum lease_state state = lease_state(line);
        if (likely(state == LEASE_FREE)) continue;
        const bool is_own = state != LEASE_TEXT && hash_of(line) == hash;
        if (lease_over(line, now_ms) && !(is_own && state == LEASE_HELD))
            lease_merge(news, lease_free(s, line));
        else if (is_own && !own)
            own = line;
        else if (is_own) /* in a damaged segment */
            lease_merge(news, lease_free(s, line));
    }
    return own;
}

uint64_t lease_give(const shard *s, lease_line *line, uint64_t hash, uint64_t owner,
                    uint64_t until_ms, uint32_t fenced) {
    uint64_t waiters = 0;
    if (!lock_is_ours(s->cache, s->header)) return 0;
    if (line) waiters = waiters_of(line).slots;
    for (uint32_t i = 0; !line && i < LEASE_WAYS; i++) {
        if (lease_state(lease_way(s, hash, i)) != LEASE_FREE) continue;
        line = lease_way(s, hash, i);
        count(s, true);
    }
    if (!line) return 0;
    const uint64_t token =
        (load_u64_relaxed(&s->header->lease_token) & VERSION_MASK) % VERSION_MASK;
    store_u64_relaxed(&s->header->lease_token, token + 1);
    /* Nobody holds it while its words change. */
    state_store(line, LEASE_VACANT, fenced);
    store_u64_relaxed(&line->hash, hash);
    store_u64_relaxed(&line->until_ms, until_ms);
    store_u64_relaxed(&line->as.held.token, token + 1);
    store_u64_relaxed(&line->as.held.owner, owner);
    store_u64_relaxed(&line->as.held.waiters, waiters);
    store_u64_relaxed(&line->as.held.birth, tag_birth(s->cache));
    state_store(line, LEASE_HELD, fenced);
    return token + 1;
}

void lease_wait_in(lease_line *line, uint32_t slot) {
    const uint64_t waiters = load_u64_relaxed(&line->as.held.waiters);
    store_u64_relaxed(&line->as.held.waiters, waiters | 1ull << (slot & 63));
}

/* The key's line if it has this token, or null. */
static const lease_line *line_of_token(const shard *s, uint64_t hash, double token) {
    if (load_u64_relaxed(&s->header->leases_held) == 0) return NULL;
    for (uint32_t i = 0; i < LEASE_WAYS; i++) {
        const lease_line *line = lease_way(s, hash, i);
        const enum lease_state state = lease_state(line);
        if ((state == LEASE_HELD || state == LEASE_UNCACHEABLE) && hash_of(line) == hash)
            return (double)load_u64_relaxed(&line->as.held.token) == token ? line : NULL;
    }
    return NULL;
}

bool lease_allows(const shard *s, uint64_t hash, double token) {
    return line_of_token(s, hash, token) != NULL;
}

bool lease_bears(const shard *s, uint64_t hash, double token, tag_set *tags) {
    const lease_line *line = line_of_token(s, hash, token);
    if (!line) return false;
    tags->birth = load_u64_relaxed(&line->as.held.birth);
    return !tag_set_invalidated(s->cache, tags);
}

/* ----------------------------------------------------------------- fencing */

static lease_news fence(const shard *s, lease_line *line, uint64_t now_ms) {
    const lease_news news = waiters_of(line);
    if (lease_state(line) == LEASE_VACANT) return news;
    if (lease_state(line) != LEASE_HELD) return lease_free(s, line);
    const uint64_t fenced = load_u64_relaxed(&s->header->leases_fenced);
    store_u64_relaxed(&s->header->leases_fenced, fenced + 1);
    if (news.slots == 0) return lease_free(s, line);
    state_store(line, LEASE_VACANT, lease_number(line) + 1);
    store_u64_relaxed(&line->until_ms, now_ms + VACANT_MS);
    return news;
}

lease_news lease_fence(const shard *s, uint64_t hash) {
    lease_news news = {0, 0};
    const uint64_t now_ms = clock_coarse_ms(s->cache);
    lease_line *line = lease_find(s, hash, now_ms, &news);
    if (line) lease_merge(&news, fence(s, line, now_ms));
    return news;
}

lease_news lease_fence_all(const shard *s) {
    lease_news news = {0, 0};
    const uint64_t now_ms = clock_coarse_ms(s->cache);
    if (!lock_is_ours(s->cache, s->header)) return news;
    for (uint32_t i = 0; i < s->geometry->lease_lines; i++) {
        lease_line *line = &s->leases[i];
        if (lease_state(line) != LEASE_FREE) lease_merge(&news, fence(s, line, now_ms));
    }
    return news;
}

/* ---------------------------------------------------------------- outcomes */

/* As much of the message as goes into one line, which says that from now on. */
static void put_text(lease_line *line, enum lease_state state, uint64_t hash, uint64_t until_ms,
                     const uint8_t *text, uint32_t len) {
    store_u64_relaxed(&line->hash, hash);
    store_u64_relaxed(&line->until_ms, until_ms);
    copy_to_shared(line->as.text, text, len);
    state_store(line, state, len);
}

lease_news lease_fail(const shard *s, lease_line *line, uint64_t until_ms, const uint8_t *text,
                      uint32_t text_len) {
    const lease_news news = waiters_of(line);
    const uint64_t hash = hash_of(line);
    uint32_t done = min_u32(text_len, LEASE_TEXT_BYTES);
    state_store(line, LEASE_VACANT, 0); /* the text covers the owner */
    put_text(line, LEASE_FAILED, hash, until_ms, text, done);
    for (uint32_t i = 0; i < LEASE_WAYS && done < text_len; i++) {
        lease_line *next = lease_way(s, hash, i);
        if (lease_state(next) != LEASE_FREE) continue;
        const uint32_t len = min_u32(text_len - done, LEASE_TEXT_BYTES);
        count(s, true);
        put_text(next, LEASE_TEXT, hash, until_ms, text + done, len);
        done += len;
    }
    return news;
}

lease_news lease_give_up(lease_line *line, uint64_t until_ms) {
    const lease_news news = waiters_of(line);
    state_store(line, LEASE_UNCACHEABLE, 0);
    store_u64_relaxed(&line->until_ms, until_ms);
    return news;
}

static uint32_t text_of(const lease_line *line, uint8_t *text) {
    const uint32_t len = min_u32(lease_number(line), LEASE_TEXT_BYTES);
    copy_from_shared(text, line->as.text, len);
    return len;
}

uint32_t lease_text(const shard *s, const lease_line *line, uint8_t *text) {
    const uint64_t hash = hash_of(line);
    uint32_t len = text_of(line, text);
    for (uint32_t i = 0; i < LEASE_WAYS && len <= FC_LEASE_TEXT_MAX - LEASE_TEXT_BYTES; i++)
        if (lease_state(lease_way(s, hash, i)) == LEASE_TEXT &&
            hash_of(lease_way(s, hash, i)) == hash)
            len += text_of(lease_way(s, hash, i), text + len);
    return len;
}

/* ---------------------------------------------------------------- counting */

static bool sensible(const shard *s, const lease_line *line) {
    const uint64_t hash = hash_of(line);
    if (lease_state(line) >= LEASE_STATES || shard_of(s->cache, hash).header != s->header)
        return false;
    const uint32_t from_first = (uint32_t)(line - s->leases) - (uint32_t)(hash >> 20);
    return (from_first & (s->geometry->lease_lines - 1)) < LEASE_WAYS;
}

uint32_t lease_count(const shard *s) {
    uint32_t used = 0;
    for (uint32_t i = 0; i < s->geometry->lease_lines; i++) {
        if (load_u64_relaxed(&s->leases[i].state) == LEASE_FREE) continue;
        if (!sensible(s, &s->leases[i])) return UINT32_MAX;
        used++;
    }
    return used;
}

void lease_recount(const shard *s) {
    uint64_t used = 0;
    for (uint32_t i = 0; i < s->geometry->lease_lines; i++) {
        lease_line *line = &s->leases[i];
        if (load_u64_relaxed(&line->state) == LEASE_FREE) continue;
        if (lease_state(line) != LEASE_FREE && sensible(s, line))
            used++;
        else
            state_store(line, LEASE_FREE, 0);
    }
    store_u64_relaxed(&s->header->leases_held, used);
}

/* ------------------------------------------------------------------ waking */

void lease_wake(process_slot *slot, uint32_t kinds) {
    uint64_t woken = load_u64_relaxed(&slot->woken);
    /* pairs with take_news */
    while (!cas_u64_release(&slot->woken, &woken, woken | kinds)) continue;
    os_wake_one((uint32_t *)&slot->woken);
}

void lease_tell_all(const cache *c, lease_news news) {
    for (uint64_t left = news.slots; left != 0; left &= left - 1)
        for (uint32_t i = (uint32_t)__builtin_ctzll(left); i < c->geometry.slots; i += 64)
            if (load_u32_relaxed(&cache_slot(c, i)->incarnation) != 0)
                lease_wake(cache_slot(c, i), news.kinds);
}
