/*
 * dot_s8.h - sums of products for blocks of output channels and pixels.
 *
 * Four output channels are summed at once, so that each activation is loaded once for four
 * products; with two pixels each weight serves two.
 */
#ifndef TINYFLOW_DOT_S8_H
#define TINYFLOW_DOT_S8_H

#include "requantize.h"

/* One int32 sum for each of four neighbouring output channels. */
typedef struct {
    int32_t c0, c1, c2, c3;
} tinyflow_sums;

/* How sums become codes. */
typedef struct {
    const int32_t *bias;       /* [channels] */
    const int32_t *multiplier; /* [channels] */
    const int8_t *shift;       /* [channels] */
    int32_t zero, lo, hi;
} tinyflow_epilogue;

TINYFLOW_INLINE tinyflow_sums tinyflow_bias_4(const int32_t *bias)
{
    const tinyflow_sums sums = {bias[0], bias[1], bias[2], bias[3]};
    return sums;
}

/* sums[j] += sum over i < n of (x[i] - x_zero) * (w[j * w_step + i] - w_zero) */
TINYFLOW_INLINE void tinyflow_dot_4(tinyflow_sums *sums, const int8_t *restrict x, int32_t x_zero,
                                    const int8_t *restrict w, int32_t w_step, int32_t w_zero,
                                    int32_t n)
{
    tinyflow_sums s = *sums;
    for (int32_t i = 0; i < n; ++i) {
        const int32_t a = x[i] - x_zero;
        s.c0 += a * (w[i] - w_zero);
        s.c1 += a * (w[i + w_step] - w_zero);
        s.c2 += a * (w[i + 2 * w_step] - w_zero);
        s.c3 += a * (w[i + 3 * w_step] - w_zero);
    }
    *sums = s;
}

/* The same for two pixels, x and x + x_step. */
TINYFLOW_INLINE void tinyflow_dot_4x2(tinyflow_sums *sums, tinyflow_sums *next,
                                      const int8_t *restrict x, int32_t x_step, int32_t x_zero,
                                      const int8_t *restrict w, int32_t w_step, int32_t n)
{
    tinyflow_sums s = *sums;
    tinyflow_sums t = *next;
    for (int32_t i = 0; i < n; ++i) {
        const int32_t a = x[i] - x_zero;
        const int32_t b = x[i + x_step] - x_zero;
        s.c0 += a * w[i];
        t.c0 += b * w[i];
        s.c1 += a * w[i + w_step];
        t.c1 += b * w[i + w_step];
        s.c2 += a * w[i + 2 * w_step];
        t.c2 += b * w[i + 2 * w_step];
        s.c3 += a * w[i + 3 * w_step];
        t.c3 += b * w[i + 3 * w_step];
    }
    *sums = s;
    *next = t;
}

/* One output channel and pixel. */
TINYFLOW_INLINE int32_t tinyflow_dot_1(int32_t sum, const int8_t *restrict x, int32_t x_zero,
                                       const int8_t *restrict w, int32_t w_zero, int32_t n)
{
    for (int32_t i = 0; i < n; ++i) {
        sum += (x[i] - x_zero) * (w[i] - w_zero);
    }
    return sum;
}

TINYFLOW_INLINE void tinyflow_store_1(tinyflow_epilogue e, int32_t channel, int32_t sum,
                                      int8_t *out)
{
    const int32_t value = tinyflow_requantize(sum, e.multiplier[channel], e.shift[channel]);
    *out = tinyflow_output(value, e.zero, e.lo, e.hi);
}

TINYFLOW_INLINE void tinyflow_store_4(tinyflow_epilogue e, int32_t channel, tinyflow_sums sums,
                                      int8_t *out)
{
    tinyflow_store_1(e, channel, sums.c0, out);
    tinyflow_store_1(e, channel + 1, sums.c1, out + 1);
    tinyflow_store_1(e, channel + 2, sums.c2, out + 2);
    tinyflow_store_1(e, channel + 3, sums.c3, out + 3);
}

#endif
