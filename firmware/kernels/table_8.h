/*
 * table_8.h - any function of one 8-bit code, looked up.
 *
 * Serves int8 and uint8 on either side: `lowest` is the input type's lowest code, and entries
 * are the output type's bytes. The output may take the place of the input.
 */
#ifndef TINYFLOW_TABLE_8_H
#define TINYFLOW_TABLE_8_H

#include "tinyflow.h"

typedef struct {
    int32_t height, row_bytes;
    int32_t lowest;      /* -128 for int8, 0 for uint8 */
    const int8_t *table; /* [256]: the result for code lowest + i */
} tinyflow_table_8;

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_table_8_rows(const tinyflow_table_8 *layer, tinyflow_const_rows in,
                                           tinyflow_rows out, int32_t y0, int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *in_row = tinyflow_const_row(in, y, layer->height);
        int8_t *out_row = tinyflow_row(out, y, layer->height);
        for (int32_t i = 0; i < layer->row_bytes; ++i) {
            out_row[i] = layer->table[(uint8_t)(in_row[i] - layer->lowest)];
        }
    }
}

#endif
