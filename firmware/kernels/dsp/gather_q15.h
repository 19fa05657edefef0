/*
 * gather_q15.h - the runs of a window side by side.
 */
#ifndef TINYFLOW_GATHER_Q15_H
#define TINYFLOW_GATHER_Q15_H

#include "tinyflow.h"

/* The windows of pixels [first, first + count); `runs` point at pixel 0's. `out` is aligned to 4
 * bytes. */
typedef void (*tinyflow_gather)(const int16_t *const *runs, int16_t *out, int32_t first,
                                int32_t count);

/* Windows of `runs` runs of `n` values; the next pixel's are `step` values further. Each takes an
 * even number of values. */
TINYFLOW_INLINE void tinyflow_gather_q15(int32_t run_count, int32_t n, int32_t step,
                                         const int16_t *const *runs, int16_t *out, int32_t first,
                                         int32_t count)
{
    const int32_t values = run_count * n;
    for (int32_t x = first; x < first + count; ++x) {
        for (int32_t i = 0; i < values; ++i) {
            out[i] = runs[i / n][x * step + i % n];
        }
        if (values % 2 != 0) {
            out[values] = 0;
        }
        out += values + values % 2;
    }
}

#endif
