/*
 * max_pool_words_s8.h - MAX_POOL of at least 4 channels, four or eight at a time.
 */
#ifndef TINYFLOW_MAX_POOL_WORDS_S8_H
#define TINYFLOW_MAX_POOL_WORDS_S8_H

#include "dsp/pool_words.h"

typedef tinyflow_pool_words tinyflow_max_pool_words_s8;

typedef struct {
    uint32_t words[2];
} tinyflow_max_words;

/* The larger codes of what is known and of a pixel; `count` is 1 or 2 words. */
TINYFLOW_INLINE void tinyflow_max_of_pixel(tinyflow_max_words *largest, const int8_t *pixel,
                                           int32_t count)
{
    const uint32_t first = tinyflow_load_word(pixel);
    const uint32_t second = count > 1 ? tinyflow_load_word(pixel + 4) : 0;
    largest->words[0] = tinyflow_larger_bytes(largest->words[0], first);
    if (count > 1) {
        largest->words[1] = tinyflow_larger_bytes(largest->words[1], second);
    }
}

/* Codes of four channels; they are not below `lo`. */
TINYFLOW_INLINE void tinyflow_max_pool_store(const tinyflow_pool_words *layer, uint32_t codes,
                                             int8_t *out)
{
    if (layer->hi < INT8_MAX) {
        codes = tinyflow_smaller_bytes(codes, tinyflow_four_times(layer->hi));
    }
    tinyflow_store_word(out, codes);
}

/* Four times `count` channels, from channel c on, of one window. */
TINYFLOW_INLINE void tinyflow_max_pool_channels(const tinyflow_pool_words *layer,
                                                tinyflow_const_rows in,
                                                const tinyflow_pool_window *window, int32_t c,
                                                int32_t count, int8_t *out)
{
    const int32_t step = layer->channels;
    const int32_t pixels = window->columns.end - window->columns.begin;
    const uint32_t lo = tinyflow_four_times(layer->lo);
    tinyflow_max_words largest = {{lo, lo}};
    for (int32_t y = window->rows.begin; y < window->rows.end; ++y) {
        const int8_t *pixel =
            tinyflow_const_row(in, y, layer->in_h) + window->columns.begin * step + c;
        for (int32_t i = 1; i < pixels; i += 2, pixel += 2 * step) {
            tinyflow_max_of_pixel(&largest, pixel, count);
            tinyflow_max_of_pixel(&largest, pixel + step, count);
        }
        if (pixels % 2) {
            tinyflow_max_of_pixel(&largest, pixel, count);
        }
    }
    tinyflow_max_pool_store(layer, largest.words[0], out + c);
    if (count > 1) {
        tinyflow_max_pool_store(layer, largest.words[1], out + c + 4);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_max_pool_words_s8_rows(const tinyflow_max_pool_words_s8 *layer,
                                                     tinyflow_const_rows in, tinyflow_rows out,
                                                     int32_t y0, int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        int8_t *pixel = tinyflow_row(out, y, layer->out_h);
        tinyflow_pool_window window;
        window.rows = tinyflow_pool_taps(y * layer->stride_h - layer->pad_top, layer->in_h,
                                         layer->kernel_h, layer->inside);
        for (int32_t x = 0; x < layer->out_w; ++x, pixel += layer->channels) {
            window.columns = tinyflow_pool_taps(x * layer->stride_w - layer->pad_left,
                                                layer->in_w, layer->kernel_w, layer->inside);
            int32_t c = 0;
            for (; c + 8 <= layer->channels; c += 8) {
                tinyflow_max_pool_channels(layer, in, &window, c, 2, pixel);
            }
            for (; c < layer->channels; c += 4) {
                tinyflow_max_pool_channels(layer, in, &window,
                                           tinyflow_last_group(c, layer->channels), 1, pixel);
            }
        }
    }
}

#endif
