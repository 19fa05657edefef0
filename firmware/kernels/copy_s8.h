/*
 * copy_s8.h - RESHAPE of a tensor that must stay where it is: the same bytes elsewhere.
 */
#ifndef TINYFLOW_COPY_S8_H
#define TINYFLOW_COPY_S8_H

#include <string.h>

#include "tinyflow.h"

typedef struct {
    int32_t height, row_bytes;
} tinyflow_copy_s8;

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_copy_s8_rows(const tinyflow_copy_s8 *layer, tinyflow_const_rows in,
                                           tinyflow_rows out, int32_t y0, int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        memcpy(tinyflow_row(out, y, layer->height), tinyflow_const_row(in, y, layer->height),
               (size_t)layer->row_bytes);
    }
}

#endif
