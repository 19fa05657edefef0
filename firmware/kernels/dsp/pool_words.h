/*
 * pool_words.h - shared by the pools that take four channels at a time.
 */
#ifndef TINYFLOW_POOL_WORDS_H
#define TINYFLOW_POOL_WORDS_H

#include "dsp/dsp.h"
#include "window.h"

typedef struct {
    int32_t in_h, in_w, channels; /* at least 4 channels */
    int32_t out_h, out_w;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t inside; /* no window reaches into the padding */
    int32_t lo, hi;
} tinyflow_pool_words;

/* Input rows `rows` and columns `columns` under the window of one output pixel. */
typedef struct {
    tinyflow_taps rows, columns;
} tinyflow_pool_window;

TINYFLOW_INLINE tinyflow_taps tinyflow_pool_taps(int32_t first, int32_t size, int32_t kernel,
                                                 int32_t inside)
{
    if (inside) {
        const tinyflow_taps all = {first, first + kernel};
        return all;
    }
    const tinyflow_taps valid = tinyflow_valid_taps(first, size, kernel, 1);
    const tinyflow_taps pixels = {first + valid.begin, first + valid.end};
    return pixels;
}

#endif
