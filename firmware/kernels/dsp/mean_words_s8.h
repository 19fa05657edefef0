/*
 * mean_words_s8.h - MEAN over rows, pixels or both, and AVERAGE_POOL of the whole image, four or
 * eight channels at a time.
 */
#ifndef TINYFLOW_MEAN_WORDS_S8_H
#define TINYFLOW_MEAN_WORDS_S8_H

#include "dsp/requant_layer.h"
#include "dsp/sum_words.h"

typedef struct {
    int32_t in_h, in_w, channels; /* at least 4 channels */
    int32_t out_h;                /* in_h, or 1 */
    int32_t start;                /* the sum of no codes: -count * zero point */
    tinyflow_layer_requant requant;
} tinyflow_mean_words_s8;

/* Sums of four channels. */
typedef struct {
    int32_t of[4];
} tinyflow_word_sums;

TINYFLOW_INLINE void tinyflow_add_half_sums(tinyflow_word_sums *sums, uint32_t even, uint32_t odd)
{
    sums->of[0] += tinyflow_lower_half(even);
    sums->of[1] += tinyflow_lower_half(odd);
    sums->of[2] += tinyflow_upper_half(even);
    sums->of[3] += tinyflow_upper_half(odd);
}

TINYFLOW_INLINE void tinyflow_mean_store(const tinyflow_mean_words_s8 *layer,
                                         const tinyflow_word_sums *sums, int8_t *out)
{
    out[0] = (int8_t)tinyflow_requant_layer(sums->of[0], &layer->requant);
    out[1] = (int8_t)tinyflow_requant_layer(sums->of[1], &layer->requant);
    out[2] = (int8_t)tinyflow_requant_layer(sums->of[2], &layer->requant);
    out[3] = (int8_t)tinyflow_requant_layer(sums->of[3], &layer->requant);
}

/* Moves the half-words' sums to where they have room. */
TINYFLOW_INLINE void tinyflow_mean_flush(tinyflow_word_sums *first, tinyflow_word_sums *second,
                                         tinyflow_half_sums *halves, int32_t count)
{
    tinyflow_add_half_sums(first, halves->even[0], halves->odd[0]);
    if (count > 1) {
        tinyflow_add_half_sums(second, halves->even[1], halves->odd[1]);
    }
    halves->even[0] = halves->even[1] = halves->odd[0] = halves->odd[1] = 0;
}

/* Four times `count` channels, from channel c on, of the mean of input rows [begin, end). */
TINYFLOW_INLINE void tinyflow_mean_channels(const tinyflow_mean_words_s8 *layer,
                                            tinyflow_const_rows in, int32_t begin, int32_t end,
                                            int32_t c, int32_t count, int8_t *out)
{
    const int32_t step = layer->channels;
    const int32_t start = layer->start;
    const int many = layer->in_h / layer->out_h * layer->in_w > TINYFLOW_MOST_HALF_SUMS;
    const int32_t at_once =
        layer->in_w < TINYFLOW_MOST_HALF_SUMS ? layer->in_w : TINYFLOW_MOST_HALF_SUMS;
    tinyflow_word_sums first = {{start, start, start, start}};
    tinyflow_word_sums second = {{start, start, start, start}};
    tinyflow_half_sums halves = {{0, 0}, {0, 0}};
    int32_t held = 0; /* pixels in the half-words */
    for (int32_t y = begin; y < end; ++y) {
        const int8_t *row = tinyflow_const_row(in, y, layer->in_h) + c;
        for (int32_t x = 0; x < layer->in_w; x += at_once) {
            const int32_t left = layer->in_w - x;
            const int32_t pixels = left < at_once ? left : at_once;
            if (many && held + pixels > TINYFLOW_MOST_HALF_SUMS) {
                tinyflow_mean_flush(&first, &second, &halves, count);
                held = 0;
            }
            tinyflow_sum_pixels(&halves, row + x * step, pixels, step, count);
            held += pixels;
        }
    }
    tinyflow_mean_flush(&first, &second, &halves, count);
    tinyflow_mean_store(layer, &first, out + c);
    if (count > 1) {
        tinyflow_mean_store(layer, &second, out + c + 4);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_mean_words_s8_rows(const tinyflow_mean_words_s8 *layer,
                                                 tinyflow_const_rows in, tinyflow_rows out,
                                                 int32_t y0, int32_t y1)
{
    const int32_t rows = layer->in_h / layer->out_h;
    for (int32_t y = y0; y < y1; ++y) {
        int8_t *pixel = tinyflow_row(out, y, layer->out_h);
        int32_t c = 0;
        for (; c + 8 <= layer->channels; c += 8) {
            tinyflow_mean_channels(layer, in, y * rows, (y + 1) * rows, c, 2, pixel);
        }
        for (; c < layer->channels; c += 4) {
            tinyflow_mean_channels(layer, in, y * rows, (y + 1) * rows,
                                   tinyflow_last_group(c, layer->channels), 1, pixel);
        }
    }
}

#endif
