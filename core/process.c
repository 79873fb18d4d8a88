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
        store_u32_release(&c->slot->incarnation, incarnation);
        c->owner = owner_word(incarnation, i);
        return FC_OK;
    }
    return report_fail(report, FC_NO_SPACE,
                       "all %" PRIu32
                       " process slots of the segment are taken; close handles that are not "
                       "needed (one handle per process or worker is enough)",
                       slots);
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

/* Other open files' slots in [at, end). The system tells any of them, not the first. */
static uint32_t others_in(const cache *c, uint64_t at, uint64_t end) {
    uint64_t found;
    if (at >= end || !os_byte_held(c->fd, at, end, &found)) return 0;
    return others_in(c, at, found) + 1 + others_in(c, found + 1, end);
}

uint32_t process_count(const cache *c) {
    return 1 + others_in(c, SLOT_LOCK_OFFSET, SLOT_LOCK_OFFSET + c->geometry.slots);
}
