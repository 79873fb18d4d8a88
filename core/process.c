/* SPDX-License-Identifier: MIT
 *
 * process.c: see process.h.
 */
#include "process.h"

#include <inttypes.h>

#include "os/os.h"
#include "report.h"

static uint64_t owner_word(uint32_t incarnation, uint32_t slot) {
    return (uint64_t)incarnation << 32 | (slot + 1);
}

int32_t process_attach(cache *c, fc_report *report) {
    const uint32_t slots = c->geometry.slots;
    for (uint32_t i = 0; i < slots; i++) {
        os_error error = os_byte_lock(c->fd, SLOT_LOCK_OFFSET + i);
        if (error == OS_LOCKED) continue;
        if (error)
            return report_fail(
                report, os_error_status(error),
                "the system refuses a byte lock on the segment's file: %s; fastcache "
                "needs a local file system with open file description locks",
                os_error_text(error));
        c->slot_index = i;
        c->slot = cache_slot(c, i);
        /* The byte is ours before the incarnation changes: a lock left by the slot's last
         * owner looks alive for that moment only. */
        uint32_t incarnation = load_u32_relaxed(&c->slot->incarnation) + 1;
        if (incarnation == 0) incarnation = 1;
        store_u64_relaxed(&c->slot->nonce, os_process_id());
        store_u32_release(&c->slot->incarnation, incarnation);
        c->owner = owner_word(incarnation, i);
        return FC_OK;
    }
    const uint32_t processes = process_count(c);
    return report_fail(report, FC_TOO_MANY_PROCESSES,
                       "all %" PRIu32 " slots of the segment are taken, by threads of %" PRIu32
                       " process%s; end some, let fewer threads open it, or create it anew with "
                       "64 MiB or more, which has %u",
                       slots, processes, processes == 1 ? "" : "es", GEOMETRY_SLOTS_MAX);
}

bool process_alive(const cache *c, uint64_t owner) {
    uint32_t slot = (uint32_t)owner - 1;
    if (slot >= c->geometry.slots) return false;
    if (load_u32_acquire(&cache_slot(c, slot)->incarnation) != (uint32_t)(owner >> 32))
        return false;
    if (slot == c->slot_index) return true; /* another thread of ours: see os_byte_held */
    uint64_t found;
    return os_byte_held(c->fd, SLOT_LOCK_OFFSET + slot, SLOT_LOCK_OFFSET + slot + 1, &found);
}

/* Which processes own a slot: their nonces, each once. A thread of ours that has a slot of its own
 * is another open file, but not another process. */
typedef struct nonces {
    uint64_t known[GEOMETRY_SLOTS_MAX];
    uint32_t count;
} nonces;

static void add_nonce(nonces *seen, uint64_t nonce) {
    for (uint32_t i = 0; i < seen->count; i++)
        if (seen->known[i] == nonce) return;
    seen->known[seen->count++] = nonce;
}

/* Of other open files' slots in [at, end). The system tells any of them, not the first. */
static void add_others(const cache *c, uint64_t at, uint64_t end, nonces *seen) {
    uint64_t found;
    if (at >= end || !os_byte_held(c->fd, at, end, &found)) return;
    add_others(c, at, found, seen);
    const uint32_t slot = (uint32_t)(found - SLOT_LOCK_OFFSET);
    add_nonce(seen, load_u64_relaxed(&cache_slot(c, slot)->nonce));
    add_others(c, found + 1, end, seen);
}

uint32_t process_count(const cache *c) {
    nonces seen = {.count = 0};
    if (c->slot) add_nonce(&seen, load_u64_relaxed(&c->slot->nonce));
    add_others(c, SLOT_LOCK_OFFSET, SLOT_LOCK_OFFSET + c->geometry.slots, &seen);
    return seen.count;
}
