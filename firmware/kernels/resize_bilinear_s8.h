/*
 * resize_bilinear_s8.h - RESIZE_BILINEAR: each output pixel mixes four source pixels.
 *
 * Per output row and column: the lower and the upper source index, and the upper one's weight as
 * a fraction of 1024.
 */
#ifndef TINYFLOW_RESIZE_BILINEAR_S8_H
#define TINYFLOW_RESIZE_BILINEAR_S8_H

#include "tinyflow.h"

typedef struct {
    int32_t in_h, in_w, channels;
    int32_t out_h, out_w;
    const int16_t *y_lo, *y_hi, *y_frac; /* [out_h] */
    const int16_t *x_lo, *x_hi, *x_frac; /* [out_w] */
} tinyflow_resize_bilinear_s8;

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_resize_bilinear_s8_rows(const tinyflow_resize_bilinear_s8 *layer,
                                                      tinyflow_const_rows in, tinyflow_rows out,
                                                      int32_t y0, int32_t y1)
{
    const int32_t one = 1024;
    const int32_t half = one * one / 2;
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *restrict upper = tinyflow_const_row(in, layer->y_lo[y], layer->in_h);
        const int8_t *restrict lower = tinyflow_const_row(in, layer->y_hi[y], layer->in_h);
        const int32_t v = layer->y_frac[y];
        int8_t *restrict out_row = tinyflow_row(out, y, layer->out_h);
        for (int32_t x = 0; x < layer->out_w; ++x) {
            const int32_t left = layer->x_lo[x] * layer->channels;
            const int32_t right = layer->x_hi[x] * layer->channels;
            const int32_t u = layer->x_frac[x];
            for (int32_t c = 0; c < layer->channels; ++c) {
                const int32_t sum = upper[left + c] * (one - v) * (one - u) +
                                    upper[right + c] * (one - v) * u +
                                    lower[left + c] * v * (one - u) + lower[right + c] * v * u;
#ifdef TINYFLOW_SINGLE_ROUNDING
                out_row[x * layer->channels + c] = (int8_t)((sum + half) >> 20);
#else
                out_row[x * layer->channels + c] =
                    (int8_t)((sum > 0 ? sum + half : sum - half) / (one * one));
#endif
            }
        }
    }
}

#endif
