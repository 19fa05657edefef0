/*
 * mean_s8.h - MEAN over whole axes, to a scale of its own.
 *
 * Axes that are averaged have an output size of 1. 1 / count is part of the multiplier.
 */
#ifndef TINYFLOW_MEAN_S8_H
#define TINYFLOW_MEAN_S8_H

#include "requantize.h"

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c; /* each the input's, or 1 */
    int32_t count;               /* codes in one mean */
    int32_t in_zero, out_zero;
    int32_t multiplier, shift;
} tinyflow_mean_s8;

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_mean_s8_rows(const tinyflow_mean_s8 *layer, tinyflow_const_rows in,
                                           tinyflow_rows out, int32_t y0, int32_t y1)
{
    const int32_t rows = layer->in_h / layer->out_h;
    const int32_t columns = layer->in_w / layer->out_w;
    const int32_t channels = layer->in_c / layer->out_c;
    for (int32_t y = y0; y < y1; ++y) {
        int8_t *restrict out_row = tinyflow_row(out, y, layer->out_h);
        for (int32_t x = 0; x < layer->out_w; ++x) {
            for (int32_t c = 0; c < layer->out_c; ++c) {
                int32_t sum = 0;
                for (int32_t j = y * rows; j < (y + 1) * rows; ++j) {
                    const int8_t *row = tinyflow_const_row(in, j, layer->in_h);
                    for (int32_t i = x * columns; i < (x + 1) * columns; ++i) {
                        const int8_t *pixel = row + i * layer->in_c;
                        for (int32_t k = c * channels; k < (c + 1) * channels; ++k) {
                            sum += pixel[k];
                        }
                    }
                }
                out_row[x * layer->out_c + c] = tinyflow_output(
                    tinyflow_requantize(sum - layer->count * layer->in_zero, layer->multiplier,
                                        layer->shift),
                    layer->out_zero, INT8_MIN, INT8_MAX);
            }
        }
    }
}

#endif
