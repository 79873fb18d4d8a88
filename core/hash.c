/* SPDX-License-Identifier: MIT
 *
 * hash.c: the hash of keys and of page 0: wyhash, final version 4, by Wang Yi
 * (https://github.com/wangyi-fudan/wyhash, public domain under the Unlicense), written anew. The
 * seed is drawn per segment from the system's random source, so that nobody outside can choose keys
 * that collide.
 *
 * Invariants: its values never change, or every segment reads as damaged (test/core/hash_test.c
 * holds them). No byte outside of the key is read.
 */
#include "hash.h"

#include <string.h>

#include "check.h"

/* Loads take the bytes in the order of the machine. */
FC_LAYOUT_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

__extension__ typedef unsigned __int128 product;

/* Wang Yi's; part of what the values depend on. */
#define SECRET_0 0xa0761d6478bd642full
#define SECRET_1 0xe7037ed1a0b428dbull
#define SECRET_2 0x8ebc6af09c88c6e3ull
#define SECRET_3 0x589965cc75374cc3ull

/* A stripe feeds three lanes with 16 bytes each. */
#define WORD 8u
#define PAIR 16u
#define STRIPE 48u

static inline uint64_t load_8(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t load_4(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t fold(product p) { return (uint64_t)p ^ (uint64_t)(p >> 64); }

static inline uint64_t mix(uint64_t a, uint64_t b) { return fold((product)a * b); }

static inline uint64_t mix_pair(const uint8_t *at, uint64_t secret, uint64_t lane) {
    return mix(load_8(at) ^ secret, load_8(at + WORD) ^ lane);
}

/* `a` and `b` are the key's last 16 bytes, or all that it has. */
static inline uint64_t finish(uint64_t a, uint64_t b, size_t len, uint64_t lane) {
    const product p = (product)(a ^ SECRET_1) * (b ^ lane);
    return mix((uint64_t)p ^ SECRET_0 ^ len, (uint64_t)(p >> 64) ^ SECRET_1);
}

/* Up to 16 bytes: loads that overlap, so that each length takes the same few. */
static inline uint64_t hash_short(const uint8_t *at, size_t len, uint64_t lane) {
    if (len >= 4) {
        const size_t inner = len / 8 * 4; /* how far the second load is from the first */
        const uint8_t *last = at + len - 4;
        const uint64_t a = load_4(at) << 32 | load_4(at + inner);
        const uint64_t b = load_4(last) << 32 | load_4(last - inner);
        return finish(a, b, len, lane);
    }
    if (len == 0) return finish(0, 0, 0, lane);
    const uint64_t a = (uint64_t)at[0] << 16 | (uint64_t)at[len / 2] << 8 | at[len - 1];
    return finish(a, 0, len, lane);
}

uint64_t fc_hash(const void *key, size_t len, uint64_t seed) {
    const uint8_t *at = key;
    uint64_t lane = seed ^ mix(seed ^ SECRET_0, SECRET_1);
    if (len <= PAIR) return hash_short(at, len, lane);
    size_t left = len;
    if (left > STRIPE) {
        uint64_t second = lane, third = lane;
        do {
            lane = mix_pair(at, SECRET_1, lane);
            second = mix_pair(at + PAIR, SECRET_2, second);
            third = mix_pair(at + 2 * PAIR, SECRET_3, third);
            at += STRIPE;
            left -= STRIPE;
        } while (left > STRIPE);
        lane ^= second ^ third;
    }
    for (; left > PAIR; left -= PAIR, at += PAIR) lane = mix_pair(at, SECRET_1, lane);
    return finish(load_8(at + left - PAIR), load_8(at + left - WORD), len, lane);
}
