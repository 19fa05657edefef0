/*
 * conv2d_neon_s8.h - CONV_2D and FULLY_CONNECTED by vectors of sixteen products.
 *
 *   out[o] = clamp(requantize(bias[o] + sum(in * weights[o])) + out_zero)
 *
 * The biases hold -in_zero times the sum of a channel's weights, and what lies outside the image is
 * in_zero. A pixel's window is one run of `depth` codes, a multiple of 16: it is gathered in the
 * working memory, or read where it lies if it is one pixel. What follows its last code meets
 * weights 0. Four channels are summed for four pixels at once.
 */
#ifndef TINYFLOW_CONV2D_NEON_S8_H
#define TINYFLOW_CONV2D_NEON_S8_H

#include "neon/requantize_neon.h"
#include "window.h"

#define TINYFLOW_NEON_PIXELS 64

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t groups;
    int32_t depth;  /* codes of a window and of what fills it up */
    int32_t chunk;  /* pixels whose windows are gathered at a time, at most 64 */
    int32_t direct; /* windows are read where they lie */
    int32_t narrow; /* no weight is -128 */
    int32_t in_zero;
    tinyflow_codes_range range;
    const int8_t *weights; /* [groups][channels / 4][depth / 16][4][16] */
    const int32_t *finish; /* [groups][channels / 4][3][4]: bias, multiplier, shift */
} tinyflow_conv2d_neon_s8;

/* Sums of four output channels, each spread over four lanes. */
typedef struct {
    tinyflow_lanes c0, c1, c2, c3;
} tinyflow_sums_neon;

TINYFLOW_INLINE void tinyflow_add_products(tinyflow_sums_neon *sums, tinyflow_codes x,
                                           const tinyflow_codes *w, int narrow)
{
    sums->c0 = tinyflow_dot_codes(sums->c0, x, w[0], narrow);
    sums->c1 = tinyflow_dot_codes(sums->c1, x, w[1], narrow);
    sums->c2 = tinyflow_dot_codes(sums->c2, x, w[2], narrow);
    sums->c3 = tinyflow_dot_codes(sums->c3, x, w[3], narrow);
}

TINYFLOW_INLINE uint32_t tinyflow_finish_sums(const tinyflow_conv2d_neon_s8 *layer,
                                              const int32_t *finish, tinyflow_sums_neon sums)
{
    const tinyflow_factors by = {tinyflow_load_lanes(finish + 4), tinyflow_load_lanes(finish + 8)};
    const tinyflow_lanes sum =
        tinyflow_add_lanes(tinyflow_load_lanes(finish),
                           tinyflow_add_across(sums.c0, sums.c1, sums.c2, sums.c3));
    return tinyflow_output_lanes(
        tinyflow_requantize_lanes(sum, by, layer->range.shifts_left), layer->range);
}

/* Four channels of one pixel: a code a byte. */
TINYFLOW_INLINE uint32_t tinyflow_products_4x1(const tinyflow_conv2d_neon_s8 *layer,
                                               const int8_t *x, const int8_t *w,
                                               const int32_t *finish)
{
    const tinyflow_lanes none = tinyflow_same_lanes(0);
    tinyflow_sums_neon sums = {none, none, none, none};
    for (int32_t i = 0; i < layer->depth; i += 16, w += 64) {
        const tinyflow_codes weights[4] = {tinyflow_load_codes(w), tinyflow_load_codes(w + 16),
                                           tinyflow_load_codes(w + 32),
                                           tinyflow_load_codes(w + 48)};
        tinyflow_add_products(&sums, tinyflow_load_codes(x + i), weights, layer->narrow);
    }
    return tinyflow_finish_sums(layer, finish, sums);
}

/* The same of four pixels. */
TINYFLOW_INLINE void tinyflow_products_4x4(const tinyflow_conv2d_neon_s8 *layer,
                                           const int8_t *const *x, const int8_t *w,
                                           const int32_t *finish, uint32_t *words)
{
    const tinyflow_lanes none = tinyflow_same_lanes(0);
    const tinyflow_sums_neon nothing = {none, none, none, none};
    tinyflow_sums_neon sums_0 = nothing, sums_1 = nothing, sums_2 = nothing, sums_3 = nothing;
    const int8_t *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
    for (int32_t i = 0; i < layer->depth; i += 16, w += 64) {
        const tinyflow_codes weights[4] = {tinyflow_load_codes(w), tinyflow_load_codes(w + 16),
                                           tinyflow_load_codes(w + 32),
                                           tinyflow_load_codes(w + 48)};
        tinyflow_add_products(&sums_0, tinyflow_load_codes(x0 + i), weights, layer->narrow);
        tinyflow_add_products(&sums_1, tinyflow_load_codes(x1 + i), weights, layer->narrow);
        tinyflow_add_products(&sums_2, tinyflow_load_codes(x2 + i), weights, layer->narrow);
        tinyflow_add_products(&sums_3, tinyflow_load_codes(x3 + i), weights, layer->narrow);
    }
    words[0] = tinyflow_finish_sums(layer, finish, sums_0);
    words[1] = tinyflow_finish_sums(layer, finish, sums_1);
    words[2] = tinyflow_finish_sums(layer, finish, sums_2);
    words[3] = tinyflow_finish_sums(layer, finish, sums_3);
}

/* One window of a group whose first channel is `channel`: `in_y`, `in_x` are the pixel of tap
 * (0, 0). */
TINYFLOW_INLINE void tinyflow_gather_window(const tinyflow_conv2d_neon_s8 *layer,
                                            tinyflow_const_rows in, int32_t in_y, int32_t in_x,
                                            int32_t channel, int8_t *window)
{
    const int32_t piece = layer->in_c / layer->groups;
    const int32_t run = layer->kernel_w * piece;
    const int32_t last = in_x + (layer->kernel_w - 1) * layer->dilation_w;
    const int inside = in_x >= 0 && last < layer->in_w;
    for (int32_t ky = 0; ky < layer->kernel_h; ++ky, window += run) {
        const int32_t y = in_y + ky * layer->dilation_h;
        if (y < 0 || y >= layer->in_h) {
            memset(window, layer->in_zero, (size_t)run);
            continue;
        }
        const int8_t *row = tinyflow_const_row(in, y, layer->in_h) + channel;
        if (inside && layer->dilation_w == 1 && layer->groups == 1) {
            memcpy(window, row + in_x * layer->in_c, (size_t)run);
            continue;
        }
        for (int32_t kx = 0; kx < layer->kernel_w; ++kx) {
            const int32_t x = in_x + kx * layer->dilation_w;
            if (x >= 0 && x < layer->in_w) {
                memcpy(window + kx * piece, row + x * layer->in_c, (size_t)piece);
            } else {
                memset(window + kx * piece, layer->in_zero, (size_t)piece);
            }
        }
    }
}

/* The channels of one group, for `pixels` pixels whose windows are `x`. */
TINYFLOW_INLINE void tinyflow_products_of_chunk(const tinyflow_conv2d_neon_s8 *layer,
                                                const int8_t *const *x, int8_t *const *out,
                                                int32_t pixels, int32_t group)
{
    const int32_t channels = layer->out_c / layer->groups;
    const int32_t blocks = (channels + 3) / 4;
    const int8_t *w = layer->weights + group * blocks * 4 * layer->depth;
    const int32_t *finish = layer->finish + group * blocks * 12;
    for (int32_t block = 0; block < blocks; ++block) {
        const int32_t channel = group * channels + 4 * block;
        const int32_t count = channels - 4 * block;
        int32_t p = 0;
        for (; p + 4 <= pixels; p += 4) {
            uint32_t words[4];
            tinyflow_products_4x4(layer, x + p, w, finish, words);
            tinyflow_store_codes(out[p] + channel, words[0], count);
            tinyflow_store_codes(out[p + 1] + channel, words[1], count);
            tinyflow_store_codes(out[p + 2] + channel, words[2], count);
            tinyflow_store_codes(out[p + 3] + channel, words[3], count);
        }
        for (; p < pixels; ++p) {
            tinyflow_store_codes(out[p] + channel, tinyflow_products_4x1(layer, x[p], w, finish),
                                 count);
        }
        w += 4 * layer->depth;
        finish += 12;
    }
}

/* Output rows [y0, y1). `scratch` holds chunk * depth bytes where windows are gathered. */
TINYFLOW_INLINE void tinyflow_conv2d_neon_s8_rows(const tinyflow_conv2d_neon_s8 *layer,
                                                  tinyflow_const_rows in, tinyflow_rows out,
                                                  int8_t *scratch, int32_t y0, int32_t y1)
{
    const int8_t *windows[TINYFLOW_NEON_PIXELS];
    int8_t *pixels[TINYFLOW_NEON_PIXELS];
    const int32_t end = y1 * layer->out_w;
    for (int32_t begin = y0 * layer->out_w; begin < end; begin += layer->chunk) {
        const int32_t count = tinyflow_min(layer->chunk, end - begin);
        for (int32_t group = 0; group < layer->groups; ++group) {
            const int32_t channel = group * (layer->in_c / layer->groups);
            for (int32_t i = 0; i < count; ++i) {
                const int32_t y = (begin + i) / layer->out_w, x = (begin + i) % layer->out_w;
                const int32_t in_y = y * layer->stride_h - layer->pad_top;
                const int32_t in_x = x * layer->stride_w - layer->pad_left;
                pixels[i] = tinyflow_row(out, y, layer->out_h) + x * layer->out_c;
                if (layer->direct) {
                    windows[i] = tinyflow_const_row(in, in_y, layer->in_h) + in_x * layer->in_c +
                                 channel;
                } else {
                    int8_t *window = scratch + i * layer->depth;
                    tinyflow_gather_window(layer, in, in_y, in_x, channel, window);
                    windows[i] = window;
                }
            }
            tinyflow_products_of_chunk(layer, windows, pixels, count, group);
        }
    }
}

#endif
