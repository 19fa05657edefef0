/*
 * window.h - which taps of a sliding window fall on the image.
 */
#ifndef TINYFLOW_WINDOW_H
#define TINYFLOW_WINDOW_H

#include "tinyflow.h"

typedef struct {
    int32_t begin, end;
} tinyflow_taps;

/* The taps [begin, end) of a kernel that lie on pixels 0 .. size - 1, when tap 0 lies on pixel
 * `first` (negative: in the padding) and the next ones `dilation` pixels further each. */
TINYFLOW_INLINE tinyflow_taps tinyflow_valid_taps(int32_t first, int32_t size, int32_t kernel,
                                                  int32_t dilation)
{
    tinyflow_taps taps = {0, kernel};
    if (first < 0) {
        taps.begin = (dilation - 1 - first) / dilation;
    }
    if (first + (kernel - 1) * dilation >= size) {
        taps.end = first < size ? (size - first + dilation - 1) / dilation : 0;
    }
    if (taps.begin > taps.end) {
        taps.begin = taps.end;
    }
    return taps;
}

#endif
