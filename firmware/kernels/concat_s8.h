/*
 * concat_s8.h - CONCAT, one operand at a time: copies it to its place in the result.
 */
#ifndef TINYFLOW_CONCAT_S8_H
#define TINYFLOW_CONCAT_S8_H

#include <string.h>

#include "requantize.h"

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t at_y, at_x, at_c; /* where the operand's first element goes */
} tinyflow_concat_s8;

/* The part of output rows [y0, y1) that comes from this operand. */
TINYFLOW_INLINE void tinyflow_concat_s8_rows(const tinyflow_concat_s8 *layer,
                                             tinyflow_const_rows in, tinyflow_rows out, int32_t y0,
                                             int32_t y1)
{
    const int32_t end = tinyflow_min(y1, layer->at_y + layer->in_h);
    for (int32_t y = tinyflow_max(y0, layer->at_y); y < end; ++y) {
        const int8_t *restrict in_row = tinyflow_const_row(in, y - layer->at_y, layer->in_h);
        int8_t *restrict out_row =
            tinyflow_row(out, y, layer->out_h) + layer->at_x * layer->out_c + layer->at_c;
        if (layer->in_c == layer->out_c) {
            memcpy(out_row, in_row, (size_t)(layer->in_w * layer->in_c));
        } else {
            for (int32_t x = 0; x < layer->in_w; ++x) {
                memcpy(out_row + x * layer->out_c, in_row + x * layer->in_c, (size_t)layer->in_c);
            }
        }
    }
}

#endif
