/*
 * transpose_s8.h - TRANSPOSE. The whole input must be there.
 */
#ifndef TINYFLOW_TRANSPOSE_S8_H
#define TINYFLOW_TRANSPOSE_S8_H

#include "tinyflow.h"

typedef struct {
    int32_t out_h, out_w, out_c;
    int32_t step_y, step_x, step_c; /* bytes in the input from one output row, pixel, channel on */
} tinyflow_transpose_s8;

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_transpose_s8_rows(const tinyflow_transpose_s8 *layer,
                                                tinyflow_const_rows in, tinyflow_rows out,
                                                int32_t y0, int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        int8_t *restrict out_row = tinyflow_row(out, y, layer->out_h);
        for (int32_t x = 0; x < layer->out_w; ++x) {
            const int8_t *restrict from = in.data + y * layer->step_y + x * layer->step_x;
            for (int32_t c = 0; c < layer->out_c; ++c) {
                out_row[x * layer->out_c + c] = from[c * layer->step_c];
            }
        }
    }
}

#endif
