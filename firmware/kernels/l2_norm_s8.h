/*
 * l2_norm_s8.h - L2_NORM: each pixel divided by the Euclidean norm over its channels, to scale
 * 1/128 and zero point 0.
 *
 * Fixed-point throughout, bit for bit as in TensorFlow Lite Micro. A comment Qm.n means m integer
 * and n fractional bits. The output may take the place of the input.
 */
#ifndef TINYFLOW_L2_NORM_S8_H
#define TINYFLOW_L2_NORM_S8_H

#include "fixed_point.h"

typedef struct {
    int32_t height, width, channels;
    int32_t in_zero;
} tinyflow_l2_norm_s8;

/* A real factor, as for tinyflow_requantize. */
typedef struct {
    int32_t multiplier;
    int32_t shift;
} tinyflow_l2_norm_factor;

/* 1 / sqrt(x); 0 counts as 1. */
TINYFLOW_INLINE tinyflow_l2_norm_factor tinyflow_l2_norm_inverse_root(int32_t x)
{
    tinyflow_l2_norm_factor result = {INT32_MAX, 0};
    if (x <= 1) {
        return result;
    }
    int32_t right = 11;
    for (; x >= INT32_C(1) << 29; x >>= 2) {
        ++right;
    }
    for (; x < INT32_C(1) << 27; x *= 4) {
        --right;
    }

    /* x / 2^29, times its root's inverse by five Newton steps from 1, in Q3.28 */
    const int32_t three_halves = 3 * (INT32_C(1) << 27);
    const int32_t half = ((x >> 1) + 1) >> 1;
    int32_t y = INT32_C(1) << 28;
    for (int32_t i = 0; i < 5; ++i) {
        const int32_t square = tinyflow_high_product(y, y);
        const int32_t cube = tinyflow_shift_left(tinyflow_high_product(square, y), 6);
        y = tinyflow_shift_left(
            tinyflow_high_product(three_halves, y) - tinyflow_high_product(half, cube), 3);
    }
    y = tinyflow_high_product(y, 1518500250); /* sqrt(1/2) in Q0.31 */
    result.multiplier = right < 0 ? y * (INT32_C(1) << -right) : y;
    result.shift = right < 0 ? 0 : -right;
    return result;
}

TINYFLOW_INLINE void tinyflow_l2_norm_s8_pixel(const tinyflow_l2_norm_s8 *layer, const int8_t *in,
                                               int8_t *out)
{
    int32_t squares = 0;
    for (int32_t c = 0; c < layer->channels; ++c) {
        const int32_t value = in[c] - layer->in_zero;
        squares += value * value;
    }
    const tinyflow_l2_norm_factor factor = tinyflow_l2_norm_inverse_root(squares);
    for (int32_t c = 0; c < layer->channels; ++c) {
        const int32_t code =
            tinyflow_requantize(in[c] - layer->in_zero, factor.multiplier, factor.shift + 7);
        out[c] = (int8_t)tinyflow_clamp(code, INT8_MIN, INT8_MAX);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_l2_norm_s8_rows(const tinyflow_l2_norm_s8 *layer,
                                              tinyflow_const_rows in, tinyflow_rows out, int32_t y0,
                                              int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *in_row = tinyflow_const_row(in, y, layer->height);
        int8_t *out_row = tinyflow_row(out, y, layer->height);
        for (int32_t x = 0; x < layer->width; ++x) {
            tinyflow_l2_norm_s8_pixel(layer, in_row + x * layer->channels,
                                      out_row + x * layer->channels);
        }
    }
}

#endif
