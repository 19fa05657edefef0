/*
 * softmax_table_s8.h - SOFTMAX over the channels with its powers in a table, bit for bit as in
 * softmax_s8.h.
 *
 * Powers of e depend on how far a code lies below its pixel's largest one: on one of 256 numbers.
 * An output of bytes may take the place of the input.
 */
#ifndef TINYFLOW_SOFTMAX_TABLE_S8_H
#define TINYFLOW_SOFTMAX_TABLE_S8_H

#include "dsp/dsp.h"
#include "dsp/requant_dsp.h"
#include "softmax_s8.h"

typedef struct {
    int32_t height, width, channels;
    int32_t wide;
    int32_t last;          /* codes further below the largest one count as if they were so far */
    const int32_t *powers; /* [last + 1]: e^(-i * scale) in Q0.31 */
} tinyflow_softmax_table_s8;

TINYFLOW_INLINE int32_t tinyflow_largest_code(const int8_t *codes, int32_t count)
{
    if (count < 4) {
        int32_t largest = codes[0];
        for (int32_t i = 1; i < count; ++i) {
            largest = tinyflow_max(largest, codes[i]);
        }
        return largest;
    }
    uint32_t word = tinyflow_load_word(codes + count - 4);
    for (int32_t i = 0; i + 4 < count; i += 4) {
        word = tinyflow_larger_bytes(word, tinyflow_load_word(codes + i));
    }
    word = tinyflow_larger_bytes(word, word >> 16 | word << 16);
    return tinyflow_signed_byte(tinyflow_larger_bytes(word, word >> 8), 0);
}

TINYFLOW_INLINE uint32_t tinyflow_softmax_table_power(const tinyflow_softmax_table_s8 *layer,
                                                      int32_t below)
{
    const int far = layer->last < 255 && below > layer->last;
    return (uint32_t)layer->powers[far ? layer->last : below];
}

TINYFLOW_INLINE void tinyflow_softmax_table_pixel(const tinyflow_softmax_table_s8 *layer,
                                                  const int8_t *in, int8_t *out)
{
    const int32_t largest = tinyflow_largest_code(in, layer->channels);
    uint32_t sum = 0; /* Q12.19 */
    for (int32_t c = 0; c < layer->channels; ++c) {
        sum += (tinyflow_softmax_table_power(layer, largest - in[c]) + (1u << 11)) >> 12;
    }

    /* sum = 2^(12 - zeros) * (1 + fraction) */
    const int32_t zeros = tinyflow_leading_zeros(sum);
    const int32_t shift = 12 - zeros + 31 - (layer->wide ? 16 : 8);
    if (!layer->wide && shift > 31) {
        memset(out, INT8_MIN, (size_t)layer->channels);
        return;
    }
    const int32_t fraction = (int32_t)((sum << zeros) & UINT32_C(0x7fffffff));
    const uint32_t twice = (uint32_t)tinyflow_one_over_one_plus(fraction) * 2u;

    /* Rounds the doubled high half, and its shift, which is at least 15. */
    const uint64_t rounding = (UINT64_C(1) << 31) | (UINT64_C(1) << (31 + shift));
    for (int32_t c = 0; c < layer->channels; ++c) {
        const uint32_t power = tinyflow_softmax_table_power(layer, largest - in[c]);
        const uint32_t steps = tinyflow_high_sum(rounding, twice, power) >> shift;
        tinyflow_softmax_s8_store(out, c, (int32_t)steps, layer->wide);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_softmax_table_s8_rows(const tinyflow_softmax_table_s8 *layer,
                                                    tinyflow_const_rows in, tinyflow_rows out,
                                                    int32_t y0, int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *in_row = tinyflow_const_row(in, y, layer->height);
        int8_t *out_row = tinyflow_row(out, y, layer->height);
        for (int32_t x = 0; x < layer->width; ++x) {
            tinyflow_softmax_table_pixel(layer, in_row + x * layer->channels,
                                         out_row + x * layer->channels * (layer->wide ? 2 : 1));
        }
    }
}

#endif
