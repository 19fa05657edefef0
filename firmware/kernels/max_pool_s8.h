/*
 * max_pool_s8.h - MAX_POOL: the largest code among the pixels of each window
 * that lie inside the image.
 */
#ifndef TINYFLOW_MAX_POOL_S8_H
#define TINYFLOW_MAX_POOL_S8_H

#include "requantize.h"
#include "window.h"

typedef struct {
    int32_t in_h, in_w, channels;
    int32_t out_h, out_w;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t lo, hi;
} tinyflow_max_pool_s8;

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_max_pool_s8_rows(const tinyflow_max_pool_s8 *layer,
                                             tinyflow_const_rows in, tinyflow_rows out, int32_t y0,
                                             int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        const int32_t in_y = y * layer->stride_h - layer->pad_top;
        const tinyflow_taps rows = tinyflow_valid_taps(in_y, layer->in_h, layer->kernel_h, 1);
        int8_t *restrict out_row = tinyflow_row(out, y, layer->out_h);
        for (int32_t x = 0; x < layer->out_w; ++x) {
            const int32_t in_x = x * layer->stride_w - layer->pad_left;
            const tinyflow_taps columns =
                tinyflow_valid_taps(in_x, layer->in_w, layer->kernel_w, 1);
            for (int32_t c = 0; c < layer->channels; ++c) {
                int32_t largest = INT8_MIN;
                for (int32_t ky = rows.begin; ky < rows.end; ++ky) {
                    const int8_t *row = tinyflow_const_row(in, in_y + ky, layer->in_h) + c;
                    for (int32_t kx = columns.begin; kx < columns.end; ++kx) {
                        largest = tinyflow_max(largest, row[(in_x + kx) * layer->channels]);
                    }
                }
                out_row[x * layer->channels + c] =
                    (int8_t)tinyflow_clamp(largest, layer->lo, layer->hi);
            }
        }
    }
}

#endif
