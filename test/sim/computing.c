/* SPDX-License-Identifier: MIT
 *
 * computing.c: a value is computed under its key's lease, or waited for; see kinds.h.
 */
#include <string.h>

#include "index.h"
#include "judge.h"
#include "kinds.h"
#include "lease.h"
#include "leases.h"
#include "process.h"
#include "trace.h"

#define ROUNDS_MAX 6u
#define WAIT_MS 40.0

static int32_t begin(mind *m, uint32_t key, uint32_t flags, fc_lease *lease) {
    const double seen_version = mind_below(m, 4) ? 0 : -1;
    const int32_t result = fc_lease_begin(m->c.handle, key_bytes(key), KEY_LEN, SIM_LEASE_MS, flags,
                                          seen_version, lease);
    trace_say("lease of key %u: %d, token %.0f", key, result, lease->token);
    if (result != FC_BUSY && (result < 0 || result > FC_LEASE_REFUSED)) judge_unexpected(m, result);
    return result;
}

static void pass(mind *m, uint32_t key, double token) {
    const uint32_t how = (uint32_t)mind_below(m, 3);
    leases_let_go(m->slot, key, token);
    const int32_t status = fc_lease_end(
        m->c.handle, key_bytes(key), KEY_LEN, token, how, 1 + (double)mind_below(m, 20),
        "what was wrong, in more words than one line has room for", 56);
    trace_say("lease of key %u, token %.0f, ends: %d", key, token, status);
    if (status == FC_MISS) leases_refused(m->slot, key, token);
    if (status == FC_OK || status == FC_MISS) leases_ended(m->slot, key, token);
    if (status != FC_OK && status != FC_MISS && status != FC_BUSY) judge_unexpected(m, status);
}

/* Computing takes a while, in which anything may happen. */
static void compute(mind *m, uint32_t key, double token) {
    leases_given(m->slot, key, token, m->me->number);
    if (mind_below(m, 2)) (void)fc_wait(m->c.handle, (double)mind_below(m, 3));
    if (mind_below(m, 4) == 0) {
        pass(m, key, token);
        return;
    }
    leases_let_go(m->slot, key, token);
    const bool is_fenced = leases_is_fenced(m->slot, key, token);
    const uint32_t len = mind_length(m);
    judge_begin(m, "store by lease", key);
    store_begins(m, key, 0);
    value_make(m->c.request + FC_IO_VALUE, len, m->ids[0], key);
    const int32_t status = call_set(&m->c, key, len, FC_SET_IF_LEASE, 0, token);
    trace_say("store by lease of key %u, token %.0f: %d", key, token, status);
    store_ended(m, status == FC_OK, 0);
    if (status == FC_OK && is_fenced)
        world_broken("fence",
                     "key %u was changed, and then a value stored that was computed before", key);
    if (status == FC_MISS) leases_refused(m->slot, key, token);
    if (status == FC_OK || status == FC_MISS) leases_ended(m->slot, key, token);
    if (status == FC_BUSY) pass(m, key, token);
    if (status != FC_OK && status != FC_MISS && status != FC_BUSY) judge_unexpected(m, status);
}

/* The kernel has let go of the files of the lease's owner. */
static bool owner_is_dead(mind *m, uint32_t key, double token) {
    const cache *c = mind_cache(m);
    const uint64_t hash = fc_hash(key_bytes(key), KEY_LEN, c->hash_seed);
    const shard s = shard_of(c, hash);
    bool dead = false;
    const int64_t left = world_close_eyes();
    for (uint32_t i = 0; i < LEASE_WAYS; i++) {
        const lease_line *line = lease_way(&s, hash, i);
        if (lease_state(line) != LEASE_HELD || line->hash != hash) continue;
        dead = (double)line->as.held.token == token && !process_alive(c, line->as.held.owner);
    }
    world_open_eyes(left);
    return dead;
}

/* Waits, and is told. */
static void wait_for(mind *m, uint32_t key, const fc_lease *lease) {
    int32_t kinds = fc_wait(m->c.handle, WAIT_MS);
    trace_say("waited for key %u: %x", key, (unsigned)kinds);
    if (kinds != 0 || !leases_told(m->slot, key, lease->token)) return;
    kinds = fc_wait(m->c.handle, 0);
    if (!((uint32_t)kinds & lease->kind))
        world_broken("waking", "the lease of key %u has ended, and who waits is not told", key);
}

void op_compute(mind *m) {
    const uint32_t key = mind_value_key(m);
    if (!key_is_followed(key)) return;
    const uint32_t flags = mind_below(m, 8) ? 0 : FC_LEASE_FORCE;
    double of_the_dead = 0;
    for (uint32_t round = 0; round < ROUNDS_MAX; round++) {
        fc_lease lease;
        judge_begin(m, "lease", key);
        if (flags) leases_change_begins(m->slot, key);
        const int32_t result = begin(m, key, flags, &lease);
        if (flags) leases_change_ended(m->slot, key, m->begin, CHANGE_PERHAPS);
        if (result == FC_BUSY) judge_refused(m);
        if (result == FC_LEASE_TAKEN) compute(m, key, lease.token);
        if (result != FC_LEASE_HELD) return;
        if (lease.token == of_the_dead)
            world_broken("dead owner", "the lease of key %u is its owner's, who is dead", key);
        if (owner_is_dead(m, key, lease.token)) of_the_dead = lease.token;
        wait_for(m, key, &lease);
    }
}
