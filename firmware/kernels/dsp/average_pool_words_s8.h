/*
 * average_pool_words_s8.h - AVERAGE_POOL of at least 4 channels, four or eight at a time, with at
 * most 256 pixels in a window.
 *
 * Sums of so many codes fit 16 bits. They are divided by multiplication:
 *
 *   code = floor((sum * (floor(2^30 / count) + 1) + 2^29) / 2^30)
 *
 * The factor is a little too large, so that a sum halfway between two codes goes away from zero
 * as it should; by less than 2^-15 of a code, so that no other sum, 1 / (2 count) away from such
 * a point at least, goes wrong.
 */
#ifndef TINYFLOW_AVERAGE_POOL_WORDS_S8_H
#define TINYFLOW_AVERAGE_POOL_WORDS_S8_H

#include "dsp/pool_words.h"
#include "dsp/sum_words.h"

typedef tinyflow_pool_words tinyflow_average_pool_words_s8;

/* Codes of four channels. SMLAW drops 16 of the 30 bits. */
TINYFLOW_INLINE void tinyflow_average_pool_store(const tinyflow_pool_words *layer, uint32_t even,
                                                 uint32_t odd, int32_t factor, int8_t *out)
{
    const int32_t half = INT32_C(1) << 13;
    uint32_t codes = tinyflow_word_of(tinyflow_smlaw_lower(factor, even, half) >> 14,
                                      tinyflow_smlaw_lower(factor, odd, half) >> 14,
                                      tinyflow_smlaw_upper(factor, even, half) >> 14,
                                      tinyflow_smlaw_upper(factor, odd, half) >> 14);
    if (layer->lo > INT8_MIN) {
        codes = tinyflow_larger_bytes(codes, tinyflow_four_times(layer->lo));
    }
    if (layer->hi < INT8_MAX) {
        codes = tinyflow_smaller_bytes(codes, tinyflow_four_times(layer->hi));
    }
    tinyflow_store_word(out, codes);
}

/* Four times `count` channels, from channel c on, of one window. */
TINYFLOW_INLINE void tinyflow_average_pool_channels(const tinyflow_pool_words *layer,
                                                    tinyflow_const_rows in,
                                                    const tinyflow_pool_window *window,
                                                    int32_t factor, int32_t c, int32_t count,
                                                    int8_t *out)
{
    const int32_t step = layer->channels;
    const int32_t pixels = window->columns.end - window->columns.begin;
    tinyflow_half_sums sums = {{0, 0}, {0, 0}};
    for (int32_t y = window->rows.begin; y < window->rows.end; ++y) {
        const int8_t *row = tinyflow_const_row(in, y, layer->in_h);
        tinyflow_sum_pixels(&sums, row + window->columns.begin * step + c, pixels, step, count);
    }
    tinyflow_average_pool_store(layer, sums.even[0], sums.odd[0], factor, out + c);
    if (count > 1) {
        tinyflow_average_pool_store(layer, sums.even[1], sums.odd[1], factor, out + c + 4);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void
tinyflow_average_pool_words_s8_rows(const tinyflow_average_pool_words_s8 *layer,
                                    tinyflow_const_rows in, tinyflow_rows out, int32_t y0,
                                    int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        int8_t *pixel = tinyflow_row(out, y, layer->out_h);
        tinyflow_pool_window window;
        window.rows = tinyflow_pool_taps(y * layer->stride_h - layer->pad_top, layer->in_h,
                                         layer->kernel_h, layer->inside);
        for (int32_t x = 0; x < layer->out_w; ++x, pixel += layer->channels) {
            window.columns = tinyflow_pool_taps(x * layer->stride_w - layer->pad_left,
                                                layer->in_w, layer->kernel_w, layer->inside);
            const int32_t count = (window.rows.end - window.rows.begin) *
                                  (window.columns.end - window.columns.begin);
            const int32_t factor = (INT32_C(1) << 30) / count + 1;
            int32_t c = 0;
            for (; c + 8 <= layer->channels; c += 8) {
                tinyflow_average_pool_channels(layer, in, &window, factor, c, 2, pixel);
            }
            for (; c < layer->channels; c += 4) {
                tinyflow_average_pool_channels(layer, in, &window, factor,
                                               tinyflow_last_group(c, layer->channels), 1, pixel);
            }
        }
    }
}

#endif
