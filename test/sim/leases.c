/* SPDX-License-Identifier: MIT
 *
 * leases.c: see leases.h.
 */
#include "leases.h"

#include <string.h>

#include "hooks.h"
#include "oracle.h"
#include "system.h"
#include "world.h"

#define LATE_MS (uint64_t)(SIM_LEASE_MS / 2)

typedef struct key_leases {
    uint32_t changing;    /* calls that go on */
    uint64_t changed_end; /* of the last call that is over */
    uint64_t done_begin;  /* of those that changed the key and are over: the latest */
    double token;         /* the last one given */
    uint32_t holder;      /* process; NOBODY: it has ended */
    uint64_t given, given_ms;
    double told; /* the last token whose end was told of */
} key_leases;

static key_leases all[SIM_SLOTS][ORACLE_KEYS_MAX];
static uint64_t lives[SIM_SLOTS];

void leases_begin(void) {
    memset(all, 0, sizeof all);
    for (uint32_t i = 0; i < SIM_SLOTS; i++) lives[i] = 0;
}

static key_leases *of(uint32_t slot, uint32_t key) {
    if (lives[slot] != system_slot_life(slot)) {
        lives[slot] = system_slot_life(slot);
        memset(all[slot], 0, sizeof all[slot]);
        for (uint32_t i = 0; i < ORACLE_KEYS_MAX; i++) all[slot][i].holder = NOBODY;
    }
    return &all[slot][key];
}

void leases_change_begins(uint32_t slot, uint32_t key) { of(slot, key)->changing++; }

void leases_change_ended(uint32_t slot, uint32_t key, uint64_t begin, enum change change) {
    key_leases *k = of(slot, key);
    if (k->changing > 0) k->changing--;
    if (change != CHANGE_NONE) k->changed_end = oracle_now();
    if (change != CHANGE_DONE) return;
    if (begin > k->done_begin) k->done_begin = begin;
    if (begin > k->given) k->told = k->token;
}

/* Something may have taken it away, or its time is over. */
static bool may_be_lost(const key_leases *k) {
    return k->changing > 0 || k->changed_end > k->given ||
           world_now_us() / 1000 > k->given_ms + LATE_MS;
}

void leases_given(uint32_t slot, uint32_t key, double token, uint32_t number) {
    key_leases *k = of(slot, key);
    if (token < k->token) return; /* another has got it since */
    if (k->holder != NOBODY && k->holder != number && world_find(k->holder) && !may_be_lost(k))
        world_broken("single flight", "process %u was given the lease of key %u, which %u holds",
                     number, key, k->holder);
    if (token == k->token)
        world_broken("token", "the lease of key %u has token %.0f again", key, token);
    k->token = token;
    k->holder = number;
    k->given = oracle_now();
    k->given_ms = world_now_us() / 1000;
}

void leases_let_go(uint32_t slot, uint32_t key, double token) {
    key_leases *k = of(slot, key);
    if (k->token == token) k->holder = NOBODY;
}

void leases_ended(uint32_t slot, uint32_t key, double token) {
    key_leases *k = of(slot, key);
    if (k->token == token) k->told = token;
}

bool leases_is_fenced(uint32_t slot, uint32_t key, double token) {
    const key_leases *k = of(slot, key);
    return k->token != token || k->done_begin > k->given;
}

void leases_refused(uint32_t slot, uint32_t key, double token) {
    const key_leases *k = of(slot, key);
    if (k->token == token && !may_be_lost(k))
        world_broken("lost lease", "the lease of key %u is gone, and nothing took it away", key);
}

bool leases_told(uint32_t slot, uint32_t key, double token) { return of(slot, key)->told == token; }
