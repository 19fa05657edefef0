/*
 * l2_norm_words_s8.h - L2_NORM, codes taken from words, bit for bit as in l2_norm_s8.h.
 *
 * The sum takes two squares an instruction, an element of the result one multiplication: SMLAW
 * drops 16 bits of a product, and rounding down twice is rounding down once. The output may take
 * the place of the input.
 */
#ifndef TINYFLOW_L2_NORM_WORDS_S8_H
#define TINYFLOW_L2_NORM_WORDS_S8_H

#include "dsp/dsp.h"
#include "dsp/requant_dsp.h"
#include "l2_norm_s8.h"

typedef tinyflow_l2_norm_s8 tinyflow_l2_norm_words_s8;

/* How a pixel's codes are scaled: (start + multiplier * value / 2^16) / 2^shift, and where the
 * roundings are two, the second one by 2^again. */
typedef struct {
    int32_t multiplier;
    int32_t start;
    int32_t shift;
    int32_t again;
} tinyflow_l2_norm_scale;

TINYFLOW_INLINE int32_t tinyflow_l2_norm_add_word(int32_t squares, uint32_t start, uint32_t word)
{
    const uint32_t even = tinyflow_add_even_bytes(start, word);
    const uint32_t odd = tinyflow_add_odd_bytes(start, word);
    return tinyflow_two_products(odd, odd, tinyflow_two_products(even, even, squares));
}

TINYFLOW_INLINE int32_t tinyflow_l2_norm_squares(const int8_t *codes, int32_t count, int32_t zero)
{
    const uint32_t start = tinyflow_halves(-zero, -zero);
    const int8_t *const whole = codes + tinyflow_unknown(count & ~7);
    int32_t squares = 0;
    while (codes != whole) {
        const uint32_t first = tinyflow_load_word(codes);
        const uint32_t second = tinyflow_load_word(codes + 4);
        codes += 8;
        squares = tinyflow_l2_norm_add_word(squares, start, first);
        squares = tinyflow_l2_norm_add_word(squares, start, second);
    }
    for (int32_t i = 0; i < (count & 7); ++i) {
        squares += (codes[i] - zero) * (codes[i] - zero);
    }
    return squares;
}

/* tinyflow_high_product for |a| < 2^30. */
TINYFLOW_INLINE int32_t tinyflow_l2_norm_product(int32_t a, int32_t b)
{
    return tinyflow_smmlar(tinyflow_lift(a, 1), b, 0);
}

/* As tinyflow_l2_norm_inverse_root: no step of it saturates. */
TINYFLOW_INLINE tinyflow_l2_norm_factor tinyflow_l2_norm_words_inverse_root(int32_t x)
{
    tinyflow_l2_norm_factor result = {INT32_MAX, 0};
    if (x <= 1) {
        return result;
    }
    /* Even, so that x comes into [2^27, 2^29). */
    const int32_t left = (tinyflow_leading_zeros((uint32_t)x) - 3) & ~1;
    const int32_t right = 11 - left / 2;
    const int32_t near = left < 0 ? x >> 2 : x << left;

    /* Q3.28 */
    const int32_t three_halves = 3 * (INT32_C(1) << 27);
    const int32_t half = ((near >> 1) + 1) >> 1;
    int32_t y = INT32_C(1) << 28;
    for (int32_t i = 0; i < 5; ++i) {
        const int32_t square = tinyflow_l2_norm_product(y, y);
        const int32_t cube = tinyflow_l2_norm_product(square, y) * 64;
        y = (tinyflow_l2_norm_product(y, three_halves) - tinyflow_l2_norm_product(half, cube)) * 8;
    }
    y = tinyflow_l2_norm_product(y, 1518500250); /* sqrt(1/2) in Q0.31 */
    result.multiplier = right < 0 ? y * (INT32_C(1) << -right) : y;
    result.shift = right < 0 ? 0 : -right;
    return result;
}

TINYFLOW_INLINE tinyflow_l2_norm_scale tinyflow_l2_norm_fit(int32_t squares)
{
    const tinyflow_l2_norm_factor factor = tinyflow_l2_norm_words_inverse_root(squares);
    tinyflow_l2_norm_scale scale = {factor.multiplier, 0, 15 - 7 - factor.shift, 0};
#ifndef TINYFLOW_SINGLE_ROUNDING
    if (scale.shift > 15) {
        scale.again = scale.shift - 15;
        scale.shift = 15;
    }
#endif
    scale.start = INT32_C(1) << (scale.shift - 1);
    return scale;
}

/* With `again` the second rounding's ties go away from zero, and no code comes near the ends: the
 * sum of squares is 2^21 at least. */
TINYFLOW_INLINE int8_t tinyflow_l2_norm_code(int32_t sum, int32_t shift, int32_t again)
{
    if (again > 0) {
        const int32_t value = sum >> 15;
        return (int8_t)((value + (value >> 31) + (1 << (again - 1))) >> again);
    }
    return (int8_t)tinyflow_signed_byte_within(sum >> shift);
}

TINYFLOW_INLINE void tinyflow_l2_norm_word(const tinyflow_l2_norm_scale *scale, int32_t again,
                                           uint32_t start, uint32_t word, int8_t *out)
{
    const int32_t factor = scale->multiplier, begin = scale->start, shift = scale->shift;
    const uint32_t even = tinyflow_add_even_bytes(start, word);
    const uint32_t odd = tinyflow_add_odd_bytes(start, word);
    out[0] = tinyflow_l2_norm_code(tinyflow_smlaw_lower(factor, even, begin), shift, again);
    out[1] = tinyflow_l2_norm_code(tinyflow_smlaw_lower(factor, odd, begin), shift, again);
    out[2] = tinyflow_l2_norm_code(tinyflow_smlaw_upper(factor, even, begin), shift, again);
    out[3] = tinyflow_l2_norm_code(tinyflow_smlaw_upper(factor, odd, begin), shift, again);
}

/* The codes of a pixel. */
TINYFLOW_INLINE void tinyflow_l2_norm_codes(const tinyflow_l2_norm_scale *scale, int32_t again,
                                            int32_t zero, const int8_t *in, int8_t *out,
                                            int32_t count)
{
    const uint32_t start = tinyflow_halves(-zero, -zero);
    const int8_t *const whole = in + tinyflow_unknown(count & ~7);
    while (in != whole) {
        const uint32_t first = tinyflow_load_word(in);
        const uint32_t second = tinyflow_load_word(in + 4);
        tinyflow_l2_norm_word(scale, again, start, first, out);
        tinyflow_l2_norm_word(scale, again, start, second, out + 4);
        in += 8;
        out += 8;
    }
    for (int32_t i = 0; i < (count & 7); ++i) {
        const uint32_t value = (uint32_t)(in[i] - zero);
        const int32_t sum = tinyflow_smlaw_lower(scale->multiplier, value, scale->start);
        out[i] = tinyflow_l2_norm_code(sum, scale->shift, again);
    }
}

TINYFLOW_INLINE void tinyflow_l2_norm_words_pixel(const tinyflow_l2_norm_s8 *layer,
                                                  const int8_t *in, int8_t *out)
{
    const int32_t count = layer->channels, zero = layer->in_zero;
    const tinyflow_l2_norm_scale scale =
        tinyflow_l2_norm_fit(tinyflow_l2_norm_squares(in, count, zero));
    if (scale.again > 0) {
        tinyflow_l2_norm_codes(&scale, scale.again, zero, in, out, count);
    } else {
        tinyflow_l2_norm_codes(&scale, 0, zero, in, out, count);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_l2_norm_words_s8_rows(const tinyflow_l2_norm_words_s8 *layer,
                                                    tinyflow_const_rows in, tinyflow_rows out,
                                                    int32_t y0, int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *in_row = tinyflow_const_row(in, y, layer->height);
        int8_t *out_row = tinyflow_row(out, y, layer->height);
        for (int32_t x = 0; x < layer->width; ++x) {
            tinyflow_l2_norm_words_pixel(layer, in_row + x * layer->channels,
                                         out_row + x * layer->channels);
        }
    }
}

#endif
