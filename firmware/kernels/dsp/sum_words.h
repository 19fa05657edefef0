/*
 * sum_words.h - sums of pixels, four channels at a time.
 */
#ifndef TINYFLOW_SUM_WORDS_H
#define TINYFLOW_SUM_WORDS_H

#include "dsp/dsp.h"

/* So many codes have a sum of 16 bits. */
#define TINYFLOW_MOST_HALF_SUMS 256

/* Sums of the even and of the odd channels of one or two words, in half-words. */
typedef struct {
    uint32_t even[2], odd[2];
} tinyflow_half_sums;

/* Adds a pixel; `count` is 1 or 2 words. */
TINYFLOW_INLINE void tinyflow_sum_pixel(tinyflow_half_sums *sums, const int8_t *pixel,
                                        int32_t count)
{
    const uint32_t first = tinyflow_load_word(pixel);
    const uint32_t second = count > 1 ? tinyflow_load_word(pixel + 4) : 0;
    sums->even[0] = tinyflow_add_even_bytes(sums->even[0], first);
    sums->odd[0] = tinyflow_add_odd_bytes(sums->odd[0], first);
    if (count > 1) {
        sums->even[1] = tinyflow_add_even_bytes(sums->even[1], second);
        sums->odd[1] = tinyflow_add_odd_bytes(sums->odd[1], second);
    }
}

/* Adds `pixels` pixels, `step` bytes apart. */
TINYFLOW_INLINE void tinyflow_sum_pixels(tinyflow_half_sums *sums, const int8_t *pixel,
                                         int32_t pixels, int32_t step, int32_t count)
{
    for (int32_t i = 1; i < pixels; i += 2, pixel += 2 * step) {
        tinyflow_sum_pixel(sums, pixel, count);
        tinyflow_sum_pixel(sums, pixel + step, count);
    }
    if (pixels % 2) {
        tinyflow_sum_pixel(sums, pixel, count);
    }
}

#endif
