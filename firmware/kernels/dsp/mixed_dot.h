/*
 * mixed_dot.h - sums of products of 16-bit by 8-bit vectors, two by two.
 *
 * Two vectors of 16 bits stand in one array, by groups of four entries: entries 0, 2, 1 and 3 of
 * the first, then of the second one. So they meet the halves to which a word of four codes is
 * widened. Behind their last entry there are zeros up to a whole group.
 */
#ifndef TINYFLOW_MIXED_DOT_H
#define TINYFLOW_MIXED_DOT_H

#include "dsp/dsp.h"

/* 16-bit values of a group. */
#define TINYFLOW_MIXED_GROUP 8

/* Of each of two wide vectors with each of two vectors of codes. */
typedef struct {
    int32_t of_00, of_01, of_10, of_11;
} tinyflow_mixed_sums;

/* Four codes less `zero` to a group's place of one vector. */
TINYFLOW_INLINE void tinyflow_mixed_widen_word(uint32_t word, uint32_t minus_zero, int16_t *place)
{
    tinyflow_store_pair(place, tinyflow_add_even_bytes(minus_zero, word));
    tinyflow_store_pair(place + 2, tinyflow_add_odd_bytes(minus_zero, word));
}

/* `count` codes to one vector: `place` is its first one in the array. */
TINYFLOW_INLINE void tinyflow_mixed_widen(const int8_t *codes, int32_t count, int32_t zero,
                                          int16_t *place)
{
    const uint32_t minus_zero = tinyflow_halves(-zero, -zero);
    int32_t i = 0;
    for (; i + 4 <= count; i += 4) {
        tinyflow_mixed_widen_word(tinyflow_load_word(codes + i), minus_zero, place + 2 * i);
    }
    if (i < count) {
        const int32_t second = i + 1 < count ? codes[i + 1] - zero : 0;
        const int32_t third = i + 2 < count ? codes[i + 2] - zero : 0;
        tinyflow_store_pair(place + 2 * i, tinyflow_halves(codes[i] - zero, third));
        tinyflow_store_pair(place + 2 * i + 2, tinyflow_halves(second, 0));
    }
}

/* A group of both wide vectors by four codes of each other one. */
TINYFLOW_INLINE void tinyflow_mixed_add(tinyflow_mixed_sums *sums, const int16_t *group,
                                        uint32_t codes_0, uint32_t codes_1)
{
    const uint32_t even_0 = tinyflow_load_pair(group), odd_0 = tinyflow_load_pair(group + 2);
    const uint32_t even_1 = tinyflow_load_pair(group + 4), odd_1 = tinyflow_load_pair(group + 6);
    tinyflow_keep_loads_behind();
    uint32_t halves = tinyflow_signed_even_bytes(codes_0);
    sums->of_00 = tinyflow_two_products(even_0, halves, sums->of_00);
    sums->of_10 = tinyflow_two_products(even_1, halves, sums->of_10);
    halves = tinyflow_signed_odd_bytes(codes_0);
    sums->of_00 = tinyflow_two_products(odd_0, halves, sums->of_00);
    sums->of_10 = tinyflow_two_products(odd_1, halves, sums->of_10);
    halves = tinyflow_signed_even_bytes(codes_1);
    sums->of_01 = tinyflow_two_products(even_0, halves, sums->of_01);
    sums->of_11 = tinyflow_two_products(even_1, halves, sums->of_11);
    halves = tinyflow_signed_odd_bytes(codes_1);
    sums->of_01 = tinyflow_two_products(odd_0, halves, sums->of_01);
    sums->of_11 = tinyflow_two_products(odd_1, halves, sums->of_11);
    tinyflow_keep_loads_behind();
}

/* The last `count` % 4 codes of a vector of at least four: the word that ends with them, the
 * others shifted out. */
TINYFLOW_INLINE uint32_t tinyflow_mixed_rest(const int8_t *codes, int32_t count)
{
    return tinyflow_load_word(codes + count - 4) >> (8 * (4 - count % 4));
}

/* Two groups of the wide vectors by eight codes of each other one. */
TINYFLOW_INLINE void tinyflow_mixed_add_8(tinyflow_mixed_sums *sums, const int16_t *wide,
                                          const int8_t *a, const int8_t *b)
{
    tinyflow_mixed_add(sums, wide, tinyflow_load_word(a), tinyflow_load_word(b));
    tinyflow_mixed_add(sums, wide + TINYFLOW_MIXED_GROUP, tinyflow_load_word(a + 4),
                       tinyflow_load_word(b + 4));
}

/* Adds the products of `count` entries. */
TINYFLOW_INLINE void tinyflow_mixed_dot(tinyflow_mixed_sums *sums, const int16_t *wide,
                                        const int8_t *codes_0, const int8_t *codes_1,
                                        int32_t count)
{
    const int8_t *a = codes_0, *b = codes_1;
    const int8_t *const end = codes_0 + count / 16 * 16;
    while (a != end) {
        tinyflow_mixed_add_8(sums, wide, a, b);
        tinyflow_mixed_add_8(sums, wide + 2 * TINYFLOW_MIXED_GROUP, a + 8, b + 8);
        a += 16;
        b += 16;
        wide += 4 * TINYFLOW_MIXED_GROUP;
    }
    if (count & 8) {
        tinyflow_mixed_add_8(sums, wide, a, b);
        a += 8;
        b += 8;
        wide += 2 * TINYFLOW_MIXED_GROUP;
    }
    if (count & 4) {
        tinyflow_mixed_add(sums, wide, tinyflow_load_word(a), tinyflow_load_word(b));
        wide += TINYFLOW_MIXED_GROUP;
    }
    if (count & 3) {
        tinyflow_mixed_add(sums, wide, tinyflow_mixed_rest(codes_0, count),
                           tinyflow_mixed_rest(codes_1, count));
    }
}

#endif
