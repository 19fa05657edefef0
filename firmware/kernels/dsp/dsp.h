/*
 * dsp.h - instructions of the DSP extension that work on the bytes or halves of a word.
 *
 * The plain C beside each instruction is its definition, and serves machines that lack it. A
 * word holds four codes, the first one in its lowest byte: memory is little-endian.
 */
#ifndef TINYFLOW_DSP_H
#define TINYFLOW_DSP_H

#include <string.h>

#include "tinyflow.h"

#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
#define TINYFLOW_HAS_DSP 1
#else
#define TINYFLOW_HAS_DSP 0
#endif

/* Four codes; the address need not be aligned. */
TINYFLOW_INLINE uint32_t tinyflow_load_word(const int8_t *codes)
{
    uint32_t word;
    memcpy(&word, codes, sizeof word);
    return word;
}

TINYFLOW_INLINE void tinyflow_store_word(int8_t *codes, uint32_t word)
{
    memcpy(codes, &word, sizeof word);
}

/* Where the four channels after the first c ones start: the last four may overlap those before
 * them, so that they do not pass the pixel's end. */
TINYFLOW_INLINE int32_t tinyflow_last_group(int32_t c, int32_t channels)
{
    return c + 4 <= channels ? c : channels - 4;
}

/* A word of four times the same code. */
TINYFLOW_INLINE uint32_t tinyflow_four_times(int32_t code)
{
    return ((uint32_t)code & 255u) * UINT32_C(0x01010101);
}

/* Byte i of a word as a signed number. */
TINYFLOW_INLINE int32_t tinyflow_signed_byte(uint32_t word, int32_t i)
{
    return (int32_t)(word << (24 - 8 * i)) >> 24;
}

TINYFLOW_INLINE int32_t tinyflow_lower_half(uint32_t word)
{
    return (int16_t)(word & 0xffffu);
}

TINYFLOW_INLINE int32_t tinyflow_upper_half(uint32_t word)
{
    return (int32_t)word >> 16;
}

TINYFLOW_INLINE uint32_t tinyflow_halves(int32_t lower, int32_t upper)
{
    return ((uint32_t)lower & 0xffffu) | (uint32_t)upper << 16;
}

TINYFLOW_INLINE uint32_t tinyflow_word_of(int32_t byte_0, int32_t byte_1, int32_t byte_2,
                                          int32_t byte_3)
{
    return ((uint32_t)byte_0 & 255u) | ((uint32_t)byte_1 & 255u) << 8 |
           ((uint32_t)byte_2 & 255u) << 16 | (uint32_t)byte_3 << 24;
}

/* UXTB16: bytes 0 and 2 without a sign. */
TINYFLOW_INLINE uint32_t tinyflow_unsigned_even_bytes(uint32_t word)
{
#if TINYFLOW_HAS_DSP
    uint32_t bytes;
    __asm__("uxtb16 %0, %1" : "=r"(bytes) : "r"(word));
    return bytes;
#else
    return word & UINT32_C(0x00ff00ff);
#endif
}

/* SXTAB16: bytes 0 and 2, added to the halves, each modulo 2^16. */
TINYFLOW_INLINE uint32_t tinyflow_add_even_bytes(uint32_t halves, uint32_t word)
{
#if TINYFLOW_HAS_DSP
    uint32_t sums;
    __asm__("sxtab16 %0, %1, %2" : "=r"(sums) : "r"(halves), "r"(word));
    return sums;
#else
    return tinyflow_halves(tinyflow_lower_half(halves) + tinyflow_signed_byte(word, 0),
                           tinyflow_upper_half(halves) + tinyflow_signed_byte(word, 2));
#endif
}

/* SXTAB16 with ROR #8: bytes 1 and 3. */
TINYFLOW_INLINE uint32_t tinyflow_add_odd_bytes(uint32_t halves, uint32_t word)
{
#if TINYFLOW_HAS_DSP
    uint32_t sums;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(sums) : "r"(halves), "r"(word));
    return sums;
#else
    return tinyflow_halves(tinyflow_lower_half(halves) + tinyflow_signed_byte(word, 1),
                           tinyflow_upper_half(halves) + tinyflow_signed_byte(word, 3));
#endif
}

/* SXTB16: bytes 0 and 2. */
TINYFLOW_INLINE uint32_t tinyflow_signed_even_bytes(uint32_t word)
{
#if TINYFLOW_HAS_DSP
    uint32_t halves;
    __asm__("sxtb16 %0, %1" : "=r"(halves) : "r"(word));
    return halves;
#else
    return tinyflow_halves(tinyflow_signed_byte(word, 0), tinyflow_signed_byte(word, 2));
#endif
}

/* SXTB16 with ROR #8: bytes 1 and 3. */
TINYFLOW_INLINE uint32_t tinyflow_signed_odd_bytes(uint32_t word)
{
#if TINYFLOW_HAS_DSP
    uint32_t halves;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(halves) : "r"(word));
    return halves;
#else
    return tinyflow_halves(tinyflow_signed_byte(word, 1), tinyflow_signed_byte(word, 3));
#endif
}

/* PKHBT: the lower half of each word, that of `lower` below. */
TINYFLOW_INLINE uint32_t tinyflow_lower_halves(uint32_t lower, uint32_t upper)
{
#if TINYFLOW_HAS_DSP
    uint32_t halves;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(halves) : "r"(lower), "r"(upper));
    return halves;
#else
    return (lower & 0xffffu) | upper << 16;
#endif
}

/* PKHTB: the upper half of each word, that of `lower` below. */
TINYFLOW_INLINE uint32_t tinyflow_upper_halves(uint32_t lower, uint32_t upper)
{
#if TINYFLOW_HAS_DSP
    uint32_t halves;
    __asm__("pkhtb %0, %2, %1, asr #16" : "=r"(halves) : "r"(lower), "r"(upper));
    return halves;
#else
    return lower >> 16 | (upper & 0xffff0000u);
#endif
}

/* SSUB8 and SEL: the larger one of each two bytes. */
TINYFLOW_INLINE uint32_t tinyflow_larger_bytes(uint32_t a, uint32_t b)
{
#if TINYFLOW_HAS_DSP
    uint32_t larger;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(larger) : "r"(a), "r"(b));
    return larger;
#else
    uint32_t larger = 0;
    for (int32_t i = 0; i < 4; ++i) {
        const int less = tinyflow_signed_byte(a, i) < tinyflow_signed_byte(b, i);
        larger |= (less ? b : a) & UINT32_C(255) << 8 * i;
    }
    return larger;
#endif
}

/* SSUB8 and SEL: the smaller one of each two bytes. */
TINYFLOW_INLINE uint32_t tinyflow_smaller_bytes(uint32_t a, uint32_t b)
{
#if TINYFLOW_HAS_DSP
    uint32_t smaller;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(smaller) : "r"(a), "r"(b));
    return smaller;
#else
    uint32_t smaller = 0;
    for (int32_t i = 0; i < 4; ++i) {
        const int less = tinyflow_signed_byte(a, i) < tinyflow_signed_byte(b, i);
        smaller |= (less ? a : b) & UINT32_C(255) << 8 * i;
    }
    return smaller;
#endif
}

/* Two values of 16 bits, the first one in the lower half. */
TINYFLOW_INLINE uint32_t tinyflow_load_pair(const int16_t *values)
{
    uint32_t word;
    memcpy(&word, values, sizeof word);
    return word;
}

TINYFLOW_INLINE void tinyflow_store_pair(int16_t *values, uint32_t word)
{
    memcpy(values, &word, sizeof word);
}

/* No load from memory is moved from behind it to before it: where a compiler unites the loads of
 * several steps, there are more words than registers. */
TINYFLOW_INLINE void tinyflow_keep_loads_behind(void)
{
#if TINYFLOW_HAS_DSP
    __asm__ volatile("" ::: "memory");
#endif
}

/* The same number, which the compiler does not know: it does not write out loops of so many
 * turns one after the other. */
TINYFLOW_INLINE int32_t tinyflow_unknown(int32_t number)
{
#if TINYFLOW_HAS_DSP
    __asm__("" : "+r"(number));
#endif
    return number;
}

/* SMLAD: c + the product of the lower halves + that of the upper ones. */
TINYFLOW_INLINE int32_t tinyflow_two_products(uint32_t a, uint32_t b, int32_t c)
{
#if TINYFLOW_HAS_DSP
    int32_t sum;
    __asm__("smlad %0, %1, %2, %3" : "=r"(sum) : "r"(a), "r"(b), "r"(c));
    return sum;
#else
    return c + tinyflow_lower_half(a) * tinyflow_lower_half(b) +
           tinyflow_upper_half(a) * tinyflow_upper_half(b);
#endif
}

/* SMLABB: c + the product of the lower halves. */
TINYFLOW_INLINE int32_t tinyflow_lower_product(uint32_t a, uint32_t b, int32_t c)
{
#if TINYFLOW_HAS_DSP
    int32_t sum;
    __asm__("smlabb %0, %1, %2, %3" : "=r"(sum) : "r"(a), "r"(b), "r"(c));
    return sum;
#else
    return c + tinyflow_lower_half(a) * tinyflow_lower_half(b);
#endif
}

/* LSR by a register: 0 from 32 bits on; bits < 256. */
TINYFLOW_INLINE uint32_t tinyflow_shift_right(uint32_t word, uint32_t bits)
{
#if TINYFLOW_HAS_DSP
    uint32_t shifted;
    __asm__("lsr %0, %1, %2" : "=r"(shifted) : "r"(word), "r"(bits));
    return shifted;
#else
    return bits < 32u ? word >> bits : 0u;
#endif
}

/* SMLAWB: c + a * b / 2^16, the product rounded down, b in the lower half of its word. */
TINYFLOW_INLINE int32_t tinyflow_smlaw_lower(int32_t a, uint32_t b, int32_t c)
{
#if TINYFLOW_HAS_DSP
    int32_t sum;
    __asm__("smlawb %0, %1, %2, %3" : "=r"(sum) : "r"(a), "r"(b), "r"(c));
    return sum;
#else
    return c + (int32_t)(((int64_t)a * tinyflow_lower_half(b)) >> 16);
#endif
}

/* SMLAWT: the same, b in the upper half. */
TINYFLOW_INLINE int32_t tinyflow_smlaw_upper(int32_t a, uint32_t b, int32_t c)
{
#if TINYFLOW_HAS_DSP
    int32_t sum;
    __asm__("smlawt %0, %1, %2, %3" : "=r"(sum) : "r"(a), "r"(b), "r"(c));
    return sum;
#else
    return c + (int32_t)(((int64_t)a * tinyflow_upper_half(b)) >> 16);
#endif
}

/* UMLAL: the high half of c + a * b. */
TINYFLOW_INLINE uint32_t tinyflow_high_sum(uint64_t c, uint32_t a, uint32_t b)
{
#if TINYFLOW_HAS_DSP
    uint32_t low = (uint32_t)c, high = (uint32_t)(c >> 32);
    __asm__("umlal %0, %1, %2, %3" : "+r"(low), "+r"(high) : "r"(a), "r"(b));
    return high;
#else
    return (uint32_t)((c + (uint64_t)a * b) >> 32);
#endif
}

/* CLZ of a word that is not 0. */
TINYFLOW_INLINE int32_t tinyflow_leading_zeros(uint32_t word)
{
#if TINYFLOW_HAS_DSP
    int32_t zeros;
    __asm__("clz %0, %1" : "=r"(zeros) : "r"(word));
    return zeros;
#else
    int32_t zeros = 0;
    while (!((word << zeros) & UINT32_C(0x80000000))) {
        ++zeros;
    }
    return zeros;
#endif
}

#endif
