/*
 * table_words_8.h - any function of one 8-bit code, looked up eight at a time.
 *
 * A load that follows another load takes one cycle instead of two: so all codes of a turn are
 * loaded first, then their results, and then these are stored by words. The output may take the
 * place of the input.
 */
#ifndef TINYFLOW_TABLE_WORDS_8_H
#define TINYFLOW_TABLE_WORDS_8_H

#include "dsp/dsp.h"

typedef struct {
    int32_t height, row_bytes;
    const int8_t *table; /* [256]: the result for each byte, 128 to 255 being -128 to -1 */
} tinyflow_table_words_8;

TINYFLOW_INLINE void tinyflow_table_words_8_codes(const uint8_t *table, const uint8_t *in,
                                                  int8_t *out, int32_t count)
{
    int32_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const uint32_t a = in[i], b = in[i + 1], c = in[i + 2], d = in[i + 3];
        const uint32_t e = in[i + 4], f = in[i + 5], g = in[i + 6], h = in[i + 7];
        const uint32_t of_a = table[a], of_b = table[b], of_c = table[c], of_d = table[d];
        const uint32_t of_e = table[e], of_f = table[f], of_g = table[g], of_h = table[h];
        tinyflow_store_word(out + i, of_a | of_b << 8 | of_c << 16 | of_d << 24);
        tinyflow_store_word(out + i + 4, of_e | of_f << 8 | of_g << 16 | of_h << 24);
    }
    for (; i < count; ++i) {
        out[i] = (int8_t)table[in[i]];
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_table_words_8_rows(const tinyflow_table_words_8 *layer,
                                                 tinyflow_const_rows in, tinyflow_rows out,
                                                 int32_t y0, int32_t y1)
{
    /* Rows that all lie side by side are one. */
    const int32_t rows = in.ring >= layer->height && out.ring >= layer->height ? y1 - y0 : 1;
    for (int32_t y = y0; y < y1; y += rows) {
        tinyflow_table_words_8_codes((const uint8_t *)layer->table,
                                     (const uint8_t *)tinyflow_const_row(in, y, layer->height),
                                     tinyflow_row(out, y, layer->height),
                                     rows * layer->row_bytes);
    }
}

#endif
