/*
 * depthwise_neon_s8.h - DEPTHWISE_CONV_2D by vectors of channels, one output channel for each input
 * channel.
 *
 *   out[y][x][c] = clamp(requantize(bias[c] + sum(in * weights[..][c])) + out_zero)
 *
 * The biases hold -in_zero times the sum of a channel's weights. Taps outside the image read a pixel
 * of in_zero, which lies in the working memory.
 */
#ifndef TINYFLOW_DEPTHWISE_NEON_S8_H
#define TINYFLOW_DEPTHWISE_NEON_S8_H

#include "neon/requantize_neon.h"

#define TINYFLOW_NEON_TAPS 128

typedef struct {
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t channels;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t narrow; /* no weight is -128 */
    int32_t in_zero;
    tinyflow_codes_range range;
    const int8_t *weights;     /* [kernel_h][kernel_w][channels] */
    const int32_t *bias;       /* [channels] */
    const int32_t *multiplier; /* [channels] */
    const int32_t *shift;      /* [channels] */
} tinyflow_depthwise_neon_s8;

/* Sums of eight neighbouring channels. */
typedef struct {
    tinyflow_lanes lower, upper;
} tinyflow_eight_sums;

/* Adds the products of one tap of eight channels, or of two taps: x[0] with w, x[1] with what lies
 * `step` further. */
TINYFLOW_VECTOR void tinyflow_add_taps(tinyflow_eight_sums *sums, const int8_t *const *x,
                                       int32_t c, const int8_t *w, int32_t step, int32_t taps)
{
#if TINYFLOW_HAS_NEON
    int16x8_t products = vmull_s8(vld1_s8(x[0] + c), vld1_s8(w));
    if (taps == 2) {
        products = vmlal_s8(products, vld1_s8(x[1] + c), vld1_s8(w + step));
    }
    sums->lower = vaddw_s16(sums->lower, vget_low_s16(products));
    sums->upper = vaddw_high_s16(sums->upper, products);
#else
    for (int32_t t = 0; t < taps; ++t) {
        for (int i = 0; i < 4; ++i) {
            const int32_t lower = x[t][c + i] * w[t * step + i];
            const int32_t upper = x[t][c + 4 + i] * w[t * step + 4 + i];
            sums->lower.lane[i] = (int32_t)((uint32_t)sums->lower.lane[i] + (uint32_t)lower);
            sums->upper.lane[i] = (int32_t)((uint32_t)sums->upper.lane[i] + (uint32_t)upper);
        }
    }
#endif
}

TINYFLOW_INLINE void tinyflow_finish_lanes(const tinyflow_depthwise_neon_s8 *layer,
                                           tinyflow_lanes sums, int32_t c, int8_t *out)
{
    const tinyflow_factors by = {tinyflow_load_lanes(layer->multiplier + c),
                                 tinyflow_load_lanes(layer->shift + c)};
    const tinyflow_lanes values = tinyflow_requantize_lanes(sums, by, layer->range.shifts_left);
    tinyflow_store_codes(out, tinyflow_output_lanes(values, layer->range), 4);
}

/* Channels c .. c + 7 of one pixel. */
TINYFLOW_INLINE void tinyflow_depthwise_eight(const tinyflow_depthwise_neon_s8 *layer,
                                              const int8_t *const *x, int32_t c, int8_t *out)
{
    const int32_t taps = layer->kernel_h * layer->kernel_w;
    const int8_t *w = layer->weights + c;
    tinyflow_eight_sums sums = {tinyflow_load_lanes(layer->bias + c),
                                tinyflow_load_lanes(layer->bias + c + 4)};
    int32_t t = 0;
    for (; layer->narrow && t + 2 <= taps; t += 2) {
        tinyflow_add_taps(&sums, x + t, c, w + t * layer->channels, layer->channels, 2);
    }
    for (; t < taps; ++t) {
        tinyflow_add_taps(&sums, x + t, c, w + t * layer->channels, layer->channels, 1);
    }
    tinyflow_finish_lanes(layer, sums.lower, c, out + c);
    tinyflow_finish_lanes(layer, sums.upper, c + 4, out + c + 4);
}

TINYFLOW_INLINE void tinyflow_depthwise_one(const tinyflow_depthwise_neon_s8 *layer,
                                            const int8_t *const *x, int32_t c, int8_t *out)
{
    const int32_t taps = layer->kernel_h * layer->kernel_w;
    uint32_t sum = (uint32_t)layer->bias[c];
    for (int32_t t = 0; t < taps; ++t) {
        sum += (uint32_t)(x[t][c] * layer->weights[t * layer->channels + c]);
    }
    const int32_t value =
        tinyflow_requantize((int32_t)sum, layer->multiplier[c], layer->shift[c]);
    out[c] = tinyflow_output(value, layer->range.zero, layer->range.lo, layer->range.hi);
}

/* Output rows [y0, y1). `scratch` holds `channels` bytes. */
TINYFLOW_INLINE void tinyflow_depthwise_neon_s8_rows(const tinyflow_depthwise_neon_s8 *layer,
                                                     tinyflow_const_rows in, tinyflow_rows out,
                                                     int8_t *scratch, int32_t y0, int32_t y1)
{
    const int8_t *taps[TINYFLOW_NEON_TAPS];
    const int32_t channels = layer->channels;
    memset(scratch, layer->in_zero, (size_t)channels);
    for (int32_t y = y0; y < y1; ++y) {
        int8_t *pixel = tinyflow_row(out, y, layer->out_h);
        for (int32_t x = 0; x < layer->out_w; ++x, pixel += channels) {
            for (int32_t ky = 0; ky < layer->kernel_h; ++ky) {
                const int32_t in_y = y * layer->stride_h - layer->pad_top + ky * layer->dilation_h;
                const int inside = in_y >= 0 && in_y < layer->in_h;
                const int8_t *row =
                    inside ? tinyflow_const_row(in, in_y, layer->in_h) : scratch;
                for (int32_t kx = 0; kx < layer->kernel_w; ++kx) {
                    const int32_t in_x =
                        x * layer->stride_w - layer->pad_left + kx * layer->dilation_w;
                    taps[ky * layer->kernel_w + kx] =
                        inside && in_x >= 0 && in_x < layer->in_w ? row + in_x * channels
                                                                  : scratch;
                }
            }
            int32_t c = 0;
            for (; c + 8 <= channels; c += 8) {
                tinyflow_depthwise_eight(layer, taps, c, pixel);
            }
            for (; c < channels; ++c) {
                tinyflow_depthwise_one(layer, taps, c, pixel);
            }
        }
    }
}

#endif
