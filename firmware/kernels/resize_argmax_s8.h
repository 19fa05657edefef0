/*
 * resize_argmax_s8.h - ARGMAX over the channels of an image that RESIZE_BILINEAR would enlarge.
 *
 * Each output pixel mixes four source pixels; the sums are compared before they are rounded, and
 * none is stored. Per output row and column: the lower and the upper source index, and the upper
 * one's weight as a fraction of 1024. Indices are bytes where `wide` is 0, else int16.
 */
#ifndef TINYFLOW_RESIZE_ARGMAX_S8_H
#define TINYFLOW_RESIZE_ARGMAX_S8_H

#include "tinyflow.h"

typedef struct {
    int32_t in_h, in_w, channels;
    int32_t out_h, out_w;
    int32_t wide;
    const int16_t *y_lo, *y_hi, *y_frac; /* [out_h] */
    const int16_t *x_lo, *x_hi, *x_frac; /* [out_w] */
} tinyflow_resize_argmax_s8;

/* The source image between two of its rows, in Q10. */
TINYFLOW_INLINE void tinyflow_resize_argmax_s8_mix(const int8_t *upper, const int8_t *lower,
                                                   int32_t weight, int32_t count, int32_t *mixed)
{
    for (int32_t i = 0; i < count; ++i) {
        mixed[i] = upper[i] * (1024 - weight) + lower[i] * weight;
    }
}

/* The largest channel between two pixels of a mixed row. */
TINYFLOW_INLINE int32_t tinyflow_resize_argmax_s8_pixel(const int32_t *left, const int32_t *right,
                                                        int32_t weight, int32_t channels)
{
    int32_t best = 0;
    int32_t largest = INT32_MIN;
    for (int32_t c = 0; c < channels; ++c) {
        const int32_t value = left[c] * (1024 - weight) + right[c] * weight;
        if (value > largest) {
            largest = value;
            best = c;
        }
    }
    return best;
}

/* Output rows [y0, y1); `scratch` holds one row of the source image as int32. */
TINYFLOW_INLINE void tinyflow_resize_argmax_s8_rows(const tinyflow_resize_argmax_s8 *layer,
                                                    tinyflow_const_rows in, tinyflow_rows out,
                                                    void *scratch, int32_t y0, int32_t y1)
{
    int32_t *mixed = (int32_t *)scratch;
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *upper = tinyflow_const_row(in, layer->y_lo[y], layer->in_h);
        const int8_t *lower = tinyflow_const_row(in, layer->y_hi[y], layer->in_h);
        int8_t *out_row = tinyflow_row(out, y, layer->out_h);
        tinyflow_resize_argmax_s8_mix(upper, lower, layer->y_frac[y],
                                      layer->in_w * layer->channels, mixed);
        for (int32_t x = 0; x < layer->out_w; ++x) {
            const int32_t best = tinyflow_resize_argmax_s8_pixel(
                mixed + layer->x_lo[x] * layer->channels, mixed + layer->x_hi[x] * layer->channels,
                layer->x_frac[x], layer->channels);
            if (layer->wide) {
                ((int16_t *)(void *)out_row)[x] = (int16_t)best;
            } else {
                out_row[x] = (int8_t)(uint8_t)best;
            }
        }
    }
}

#endif
