/*
 * pad_s8.h - PAD: a border of one code.
 */
#ifndef TINYFLOW_PAD_S8_H
#define TINYFLOW_PAD_S8_H

#include <string.h>

#include "tinyflow.h"

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t at_y, at_x, at_c; /* where the input's first element goes */
    int32_t value;
} tinyflow_pad_s8;

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_pad_s8_rows(const tinyflow_pad_s8 *layer, tinyflow_const_rows in,
                                          tinyflow_rows out, int32_t y0, int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        int8_t *restrict out_row = tinyflow_row(out, y, layer->out_h);
        memset(out_row, (int)layer->value, (size_t)(layer->out_w * layer->out_c));
        if (y < layer->at_y || y >= layer->at_y + layer->in_h) {
            continue;
        }
        const int8_t *restrict in_row = tinyflow_const_row(in, y - layer->at_y, layer->in_h);
        int8_t *restrict inner = out_row + layer->at_x * layer->out_c + layer->at_c;
        if (layer->in_c == layer->out_c) {
            memcpy(inner, in_row, (size_t)(layer->in_w * layer->in_c));
        } else {
            for (int32_t x = 0; x < layer->in_w; ++x) {
                memcpy(inner + x * layer->out_c, in_row + x * layer->in_c, (size_t)layer->in_c);
            }
        }
    }
}

#endif
