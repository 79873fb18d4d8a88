/* SPDX-License-Identifier: MIT
 *
 * lease.h owns the lease lines of a shard: for the keys whose value somebody computes, who that is
 * and under which token (contract F). Everything but lease_tell needs the shard's lock.
 *
 * Invariants:
 *  - A key has one line at most, and so has a hash: two keys of one hash share it, which costs one
 *    of them a wait.
 *  - A token is given once. What was computed under one is stored only while a line has it: whoever
 *    stores, removes or clears the key takes it away first, before anything changes (F4).
 *  - `leases_held` is the number of lines in use, so that who finds 0 need not look at any.
 *  - Whatever instruction the lock's holder dies at, each line is free or complete; a recount drops
 *    what makes no sense, and counts them anew.
 *  - Lines are advice: one that is lost costs another run of a factory, never a wrong value (F6).
 *
 * Who waits leaves the bit of his slot in the line. When the line changes hands, all slots of these
 * bits are woken: `woken` of the slot gets a bit that tells of which keys, by their hash.
 */
#ifndef FC_LEASE_H
#define FC_LEASE_H

#include "tag.h"

/* Keys are told apart by so many bits of `woken`; the next one is for fc_wake. */
#define LEASE_KINDS 30u
#define LEASE_KIND_CALLED (1u << LEASE_KINDS)
#define LEASE_KINDS_ALL ((1u << LEASE_KINDS) - 1)

static inline uint32_t lease_kind(uint64_t hash) { return 1u << hash % LEASE_KINDS; }

/* Whom to wake when the lock has been let go, and of what; nobody if `slots` is 0. */
typedef struct lease_news {
    uint64_t slots;
    uint32_t kinds;
} lease_news;

static inline void lease_merge(lease_news *news, lease_news more) {
    news->slots |= more.slots;
    news->kinds |= more.kinds;
}

static inline bool lease_any(const shard *s) {
    return unlikely(load_u64_relaxed(&s->header->leases_held) != 0);
}
static inline enum lease_state lease_state(const lease_line *line) {
    return (enum lease_state)(load_u64_relaxed(&line->state) & 0xff);
}
static inline uint32_t lease_number(const lease_line *line) {
    return (uint32_t)(load_u64_relaxed(&line->state) >> LEASE_NUMBER_SHIFT);
}

/* Is its time over? Also if it is further away than any may be, in a damaged segment. */
bool lease_over(const lease_line *line, uint64_t now_ms);

/* Line `i`, below LEASE_WAYS, of those where a key with this hash may have its own. */
static inline lease_line *lease_way(const shard *s, uint64_t hash, uint32_t i) {
    return &s->leases[((uint32_t)(hash >> 20) + i) & (s->geometry->lease_lines - 1)];
}

/* The key's line, or null. Lines near it whose time is over are freed, and their waiters added to
 * *news; the key's own is returned if it is held. */
lease_line *lease_find(const shard *s, uint64_t hash, uint64_t now_ms, lease_news *news);

/* Gives the lease to `owner`: in `line` if that is not null, whose waiters go on waiting, else in a
 * free one near by. `fenced` runs in a row were in vain. Returns the token, or 0 if none is
 * free. */
uint64_t lease_give(const shard *s, lease_line *line, uint64_t hash, uint64_t owner,
                    uint64_t until_ms, uint32_t fenced);
void lease_wait_in(lease_line *line, uint32_t slot);

/* May a value that was computed under this token be stored? */
bool lease_allows(const shard *s, uint64_t hash, double token);

/* Values that are computed under this token are as old as their lease: their entry's birth. False
 * if an invalidation has come since that takes one of these tags, or if the token does not hold. */
bool lease_bears(const shard *s, uint64_t hash, double token, tag_set *tags);

/* The key is about to be stored or removed by somebody else: what is being computed is not to be
 * stored, and what is known of failures is over. */
lease_news lease_fence(const shard *s, uint64_t hash);
/* The same for all keys of the shard. */
lease_news lease_fence_all(const shard *s);

/* The line is not held any more: it becomes free. */
lease_news lease_free(const shard *s, lease_line *line);
/* Or says until then that a run failed, with a message, or that everybody may run. */
lease_news lease_fail(const shard *s, lease_line *line, uint64_t until_ms, const uint8_t *text,
                      uint32_t text_len);
lease_news lease_give_up(lease_line *line, uint64_t until_ms);
/* The message of a failed one into `text` of FC_LEASE_TEXT_MAX bytes. Returns its length. */
uint32_t lease_text(const shard *s, const lease_line *line, uint8_t *text);

/* After a take-over of the lock, or damage. */
void lease_recount(const shard *s);
/* The number of lines in use; UINT32_MAX if there is one that makes no sense. */
uint32_t lease_count(const shard *s);

/* Wakes who waits in that slot. */
void lease_wake(process_slot *slot, uint32_t kinds);
/* Wakes those who wait. The lock has been let go. */
void lease_tell_all(const cache *c, lease_news news);
static inline void lease_tell(const cache *c, lease_news news) {
    if (unlikely(news.slots != 0)) lease_tell_all(c, news);
}

#endif
