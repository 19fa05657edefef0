/*
 * softmax_s8.h - SOFTMAX over the channels, to scale 1/256 and zero point -128, or with `wide` to
 * int16 codes of scale 1/65536 and zero point -32768.
 *
 * Fixed-point throughout, bit for bit as in TensorFlow Lite Micro. A comment Qm.n means m integer
 * and n fractional bits. An output of bytes may take the place of the
 * input.
 */
#ifndef TINYFLOW_SOFTMAX_S8_H
#define TINYFLOW_SOFTMAX_S8_H

#include "fixed_point.h"

typedef struct {
    int32_t height, width, channels;
    int32_t wide;
    int32_t multiplier, shift; /* code differences to Q5.26 */
    int32_t diff_min;          /* differences below it count as zero */
} tinyflow_softmax_s8;

/* e^x in Q0.31 for -1/4 <= x < 0 in Q0.31: a Taylor series around -1/8. */
TINYFLOW_INLINE int32_t tinyflow_exp_quarter(int32_t x)
{
    const int32_t exp_of_minus_eighth = 1895147668;
    const int32_t third = 715827883;
    const int32_t t = x + (INT32_C(1) << 28);
    const int32_t t2 = tinyflow_high_product(t, t);
    const int32_t t3 = tinyflow_high_product(t2, t);
    const int32_t t4 = tinyflow_high_product(t2, t2);
    const int32_t t4_over_4 = tinyflow_rounding_shift(t4, 2);
    const int32_t tail = tinyflow_rounding_shift(
        tinyflow_high_product(t4_over_4 + t3, third) + t2, 1); /* t^2/2 + t^3/6 + t^4/24 */
    return exp_of_minus_eighth + tinyflow_high_product(exp_of_minus_eighth, t + tail);
}

/* e^x in Q0.31 for x <= 0 in Q5.26: the last quarter by series, the rest by powers of two. */
TINYFLOW_INLINE int32_t tinyflow_exp(int32_t x)
{
    static const int32_t powers[7] = {/* exp(-1/4), exp(-1/2), exp(-1) ... exp(-16) in Q0.31 */
                                      1672461947, 1302514674, 790015084, 290630308,
                                      39332535,   720401,     242};
    const int32_t quarter = INT32_C(1) << 24;
    const int32_t last = (x & (quarter - 1)) - quarter;
    const int32_t rest = last - x;
    int32_t result = tinyflow_exp_quarter(last * 32);
    if (x == 0) {
        return INT32_MAX;
    }
    for (int32_t i = 0; i < 7; ++i) {
        if (rest & (quarter << i)) {
            result = tinyflow_high_product(result, powers[i]);
        }
    }
    return result;
}

/* 1 / (1 + x) in Q0.31 for 0 <= x < 1 in Q0.31: three Newton steps. */
TINYFLOW_INLINE int32_t tinyflow_one_over_one_plus(int32_t x)
{
    const int32_t one = INT32_C(1) << 29;              /* Q2.29 */
    const int32_t start = 1515870810;                  /* 48/17 in Q2.29 */
    const int32_t slope = -1010580540;                 /* -32/17 in Q2.29 */
    const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2); /* (1 + x) / 2 in Q0.31 */
    int32_t y = start + tinyflow_high_product(half, slope);
    for (int32_t i = 0; i < 3; ++i) {
        const int32_t error = one - tinyflow_high_product(half, y);
        y += tinyflow_shift_left(tinyflow_high_product(y, error), 2);
    }
    return tinyflow_shift_left(y, 1);
}

/* e^((code - largest) * scale) in Q0.31. */
TINYFLOW_INLINE int32_t tinyflow_softmax_s8_power(const tinyflow_softmax_s8 *layer, int32_t diff)
{
    return tinyflow_exp(
        tinyflow_high_product(diff * (INT32_C(1) << layer->shift), layer->multiplier));
}

/* Code c of a pixel, for so many steps above 0. */
TINYFLOW_INLINE void tinyflow_softmax_s8_store(int8_t *out, int32_t c, int32_t steps, int32_t wide)
{
    if (wide) {
        ((int16_t *)(void *)out)[c] = (int16_t)(tinyflow_clamp(steps, 0, 65535) + INT16_MIN);
    } else {
        out[c] = (int8_t)(tinyflow_clamp(steps, 0, 255) + INT8_MIN);
    }
}

TINYFLOW_INLINE void tinyflow_softmax_s8_pixel(const tinyflow_softmax_s8 *layer, const int8_t *in,
                                               int8_t *out)
{
    int32_t largest = INT8_MIN;
    for (int32_t c = 0; c < layer->channels; ++c) {
        largest = tinyflow_max(largest, in[c]);
    }

    int32_t sum = 0; /* Q12.19 */
    for (int32_t c = 0; c < layer->channels; ++c) {
        const int32_t diff = in[c] - largest;
        if (diff >= layer->diff_min) {
            sum += tinyflow_rounding_shift(tinyflow_softmax_s8_power(layer, diff), 12);
        }
    }

    /* sum = 2^(12 - zeros) * (1 + fraction) */
    int32_t zeros = 0;
    while (!(((uint32_t)sum << zeros) & UINT32_C(0x80000000))) {
        ++zeros;
    }
    const int32_t fraction = (int32_t)(((uint32_t)sum << zeros) & UINT32_C(0x7fffffff));
    const int32_t reciprocal = tinyflow_one_over_one_plus(fraction);
    const int32_t shift = 12 - zeros + 31 - (layer->wide ? 16 : 8);

    for (int32_t c = 0; c < layer->channels; ++c) {
        const int32_t diff = in[c] - largest;
        int32_t steps = 0;
        if (diff >= layer->diff_min && shift < 32) {
            const int32_t power = tinyflow_softmax_s8_power(layer, diff);
            steps = tinyflow_rounding_shift(tinyflow_high_product(reciprocal, power), shift);
        }
        tinyflow_softmax_s8_store(out, c, steps, layer->wide);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_softmax_s8_rows(const tinyflow_softmax_s8 *layer,
                                              tinyflow_const_rows in, tinyflow_rows out, int32_t y0,
                                              int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *in_row = tinyflow_const_row(in, y, layer->height);
        int8_t *out_row = tinyflow_row(out, y, layer->height);
        for (int32_t x = 0; x < layer->width; ++x) {
            tinyflow_softmax_s8_pixel(layer, in_row + x * layer->channels,
                                      out_row + x * layer->channels * (layer->wide ? 2 : 1));
        }
    }
}

#endif
