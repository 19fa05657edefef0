/*
 * fully_connected_s8.h - FULLY_CONNECTED: each pixel by a matrix.
 *
 *   out[o] = clamp(requantize(bias[o] + sum((in[i] - in_zero) * (weights[o][i] - w_zero)))
 *                  + out_zero)
 */
#ifndef TINYFLOW_FULLY_CONNECTED_S8_H
#define TINYFLOW_FULLY_CONNECTED_S8_H

#include "dot_s8.h"

typedef struct {
    int32_t height, width;
    int32_t in_c, out_c;
    int32_t in_zero, w_zero, out_zero;
    int32_t lo, hi;
    const int8_t *weights;     /* [out_c][in_c] */
    const int32_t *bias;       /* [out_c] */
    const int32_t *multiplier; /* [out_c] */
    const int8_t *shift;       /* [out_c] */
} tinyflow_fully_connected_s8;

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_fully_connected_s8_rows(const tinyflow_fully_connected_s8 *layer,
                                                      tinyflow_const_rows in, tinyflow_rows out,
                                                      int32_t y0, int32_t y1)
{
    const tinyflow_epilogue epilogue = {layer->bias,     layer->multiplier, layer->shift,
                                        layer->out_zero, layer->lo,         layer->hi};
    const int32_t blocks_end = layer->out_c / 4 * 4;

    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *restrict in_row = tinyflow_const_row(in, y, layer->height);
        int8_t *restrict out_row = tinyflow_row(out, y, layer->height);
        for (int32_t x = 0; x < layer->width; ++x) {
            const int8_t *features = in_row + x * layer->in_c;
            int8_t *pixel = out_row + x * layer->out_c;
            for (int32_t o = 0; o < blocks_end; o += 4) {
                tinyflow_sums sums = tinyflow_bias_4(layer->bias + o);
                tinyflow_dot_4(&sums, features, layer->in_zero, layer->weights + o * layer->in_c,
                               layer->in_c, layer->w_zero, layer->in_c);
                tinyflow_store_4(epilogue, o, sums, pixel + o);
            }
            for (int32_t o = blocks_end; o < layer->out_c; ++o) {
                const int32_t sum =
                    tinyflow_dot_1(layer->bias[o], features, layer->in_zero,
                                   layer->weights + o * layer->in_c, layer->w_zero, layer->in_c);
                tinyflow_store_1(epilogue, o, sum, pixel + o);
            }
        }
    }
}

#endif
