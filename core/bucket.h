/* SPDX-License-Identifier: MIT
 *
 * bucket.h owns how index words are read and made (they are drawn in layout.h), and how a bucket of
 * eight of them is searched for a tag: by SSE2, by NEON, or word by word.
 */
#ifndef FC_BUCKET_H
#define FC_BUCKET_H

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#include "atomic.h"
#include "layout.h"

static inline uint64_t word_offset(uint64_t word) {
    return (word & WORD_LOCATION_MASK) * RECORD_ALIGN;
}
static inline uint16_t word_tag(uint64_t word) { return (uint16_t)(word >> WORD_TAG_SHIFT); }
static inline uint32_t word_mark(uint64_t word) { return (word >> WORD_MARK_SHIFT) & 0xff; }
static inline uint64_t word_make(uint16_t tag, uint32_t mark, uint64_t offset) {
    return (uint64_t)tag << WORD_TAG_SHIFT | (uint64_t)mark << WORD_MARK_SHIFT |
           offset / RECORD_ALIGN;
}
/* Which of a key's two hashes led to the word's bucket? */
static inline bool word_by_second(uint64_t word) { return word & WORD_SECOND; }
static inline bool word_is_ghost(uint64_t word) { return word_tag(word) != 0 && word & WORD_GHOST; }

/* Which words of a bucket bear the tag: bit 4 i + 3 for word i. A hint: load the word before
 * believing it. One 16-byte load covers two words; each word's 8 bytes are read at once on every
 * x86-64 and arm64, and a torn pair of words would only be a stale hint. */
static inline uint32_t bucket_match(const bucket *b, uint16_t tag) {
#if defined(__SSE2__) && !defined(FC_WATCHED)
    const __m128i *pairs = (const __m128i *)(const void *)b->words;
    const __m128i wanted = _mm_set1_epi16((short)tag);
    __m128i m01 = _mm_packs_epi16(_mm_cmpeq_epi16(_mm_load_si128(pairs), wanted),
                                  _mm_cmpeq_epi16(_mm_load_si128(pairs + 1), wanted));
    __m128i m23 = _mm_packs_epi16(_mm_cmpeq_epi16(_mm_load_si128(pairs + 2), wanted),
                                  _mm_cmpeq_epi16(_mm_load_si128(pairs + 3), wanted));
    uint32_t bytes = (uint32_t)_mm_movemask_epi8(m01) | (uint32_t)_mm_movemask_epi8(m23) << 16;
    return bytes & 0x88888888u; /* the tags are the highest of each word's four lanes */
#elif defined(__ARM_NEON) && !defined(FC_WATCHED)
    uint32x2_t halves[4]; /* the tags, each in 32 bits */
    for (int i = 0; i < 4; i++)
        halves[i] = vmovn_u64(vshrq_n_u64(vld1q_u64(b->words + 2 * i), WORD_TAG_SHIFT));
    const uint16x8_t tags = vcombine_u16(vmovn_u32(vcombine_u32(halves[0], halves[1])),
                                         vmovn_u32(vcombine_u32(halves[2], halves[3])));
    const uint8x8_t equal = vmovn_u16(vceqq_u16(tags, vdupq_n_u16(tag)));
    /* Four bits of each of the eight bytes. */
    const uint8x8_t nibbles =
        vshrn_n_u16(vreinterpretq_u16_u8(vcombine_u8(equal, vdup_n_u8(0))), 4);
    return vget_lane_u32(vreinterpret_u32_u8(nibbles), 0) & 0x88888888u;
#else
    uint32_t match = 0;
    for (uint32_t i = 0; i < BUCKET_WORDS; i++)
        match |= (uint32_t)(word_tag(load_u64_relaxed(&b->words[i])) == tag) << (4 * i + 3);
    return match;
#endif
}

/* The two buckets of a key, which are looked at as one, so that the fetches overlap and no branch
 * depends on which of them holds the key. */
typedef struct bucket_pair {
    bucket *first, *second;
} bucket_pair;

/* As bucket_match, for both; pair_word gives the word of the lowest bit. */
static inline uint64_t pair_match(const bucket_pair *pair, uint16_t tag) {
    return bucket_match(pair->first, tag) | (uint64_t)bucket_match(pair->second, tag) << 32;
}
static inline uint64_t *pair_word(const bucket_pair *pair, uint64_t match) {
    const uint32_t i = (uint32_t)__builtin_ctzll(match) / 4;
    bucket *b = i < BUCKET_WORDS ? pair->first : pair->second;
    return &b->words[i % BUCKET_WORDS];
}

#endif
