/* SPDX-License-Identifier: MIT
 *
 * mind.c: see mind.h.
 */
#include "mind.h"

#include "handle.h"

#define SOLID_AND_PART 8200u

uint64_t mind_below(mind *m, uint64_t limit) { return random_below(&m->me->random, limit); }

const cache *mind_cache(const mind *m) { return handle_get(m->c.handle); }

uint32_t mind_key(mind *m) {
    if (world.settings->crowd == CROWD_WIDE && mind_below(m, 6) == 0)
        return FILLER_FIRST + (uint32_t)mind_below(m, world.settings->fillers);
    /* Some keys are hotter than others. */
    const uint32_t keys = mind_below(m, 2) ? world.settings->keys : (world.settings->keys + 3) / 4;
    return (uint32_t)mind_below(m, keys);
}

uint32_t mind_value_key(mind *m) {
    for (;;) {
        const uint32_t key = mind_key(m);
        if (!key_is_number(key)) return key;
    }
}

uint32_t mind_batch_key(mind *m, uint32_t first, uint32_t i) {
    if (!key_is_followed(first) || first % 2) return mind_value_key(m);
    const uint32_t key = (first + i) % world.settings->keys;
    return key_is_number(key) ? first : key;
}

uint32_t mind_length(mind *m) {
    uint32_t most = 200;
    const uint64_t kind = mind_below(m, 10);
    if (kind >= 3) most = world.settings->value_max < 3000 ? world.settings->value_max : 3000;
    if (kind >= 6) most = world.settings->value_max;
    /* One extent and a part: what is torn there is not noticed by the next extent's. */
    if (kind >= 8 && most > SOLID_AND_PART)
        return SOLID_AND_PART / 2 + (uint32_t)mind_below(m, SOLID_AND_PART / 2);
    return VALUE_LEN_MIN + (uint32_t)mind_below(m, most);
}

double mind_ttl_ms(mind *m) {
    if (world.settings->ttl_ms_max == 0 || mind_below(m, 3)) return 0;
    return 1 + (double)mind_below(m, 1 + mind_below(m, world.settings->ttl_ms_max));
}
