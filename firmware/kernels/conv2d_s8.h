/*
 * conv2d_s8.h - CONV_2D, grouped and dilated.
 *
 *   out[y][x][o] = clamp(requantize(bias[o] + sum((in - in_zero) * weights[o])) + out_zero)
 *
 * Taps outside the image count as in_zero, that is: not at all.
 */
#ifndef TINYFLOW_CONV2D_S8_H
#define TINYFLOW_CONV2D_S8_H

#include "dot_s8.h"
#include "window.h"

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t groups;
    int32_t in_zero, out_zero;
    int32_t lo, hi;
    const int8_t *weights;     /* [out_c][kernel_h][kernel_w][in_c / groups] */
    const int32_t *bias;       /* [out_c] */
    const int32_t *multiplier; /* [out_c] */
    const int8_t *shift;       /* [out_c] */
} tinyflow_conv2d_s8;

/* Where one window lies: `in_y`, `in_x` are the pixel of tap (0, 0), `in_c` its first channel. */
typedef struct {
    int32_t in_y, in_x, in_c;
    tinyflow_taps rows, columns;
} tinyflow_conv2d_window;

/* Pixels of a window row lie side by side, weights do too: one run of products. */
TINYFLOW_INLINE int tinyflow_conv2d_is_dense(const tinyflow_conv2d_s8 *layer)
{
    return layer->dilation_w == 1 && layer->groups == 1;
}

TINYFLOW_INLINE tinyflow_sums tinyflow_conv2d_s8_block_4(const tinyflow_conv2d_s8 *layer,
                                                         tinyflow_const_rows in,
                                                         tinyflow_conv2d_window at, int32_t o)
{
    const int32_t depth = layer->in_c / layer->groups;
    const int32_t w_step = layer->kernel_h * layer->kernel_w * depth;
    tinyflow_sums sums = tinyflow_bias_4(layer->bias + o);
    for (int32_t ky = at.rows.begin; ky < at.rows.end; ++ky) {
        const int8_t *row =
            tinyflow_const_row(in, at.in_y + ky * layer->dilation_h, layer->in_h) + at.in_c;
        const int8_t *w = layer->weights + o * w_step + ky * layer->kernel_w * depth;
        if (tinyflow_conv2d_is_dense(layer)) {
            tinyflow_dot_4(&sums, row + (at.in_x + at.columns.begin) * layer->in_c, layer->in_zero,
                           w + at.columns.begin * depth, w_step, 0,
                           (at.columns.end - at.columns.begin) * depth);
        } else {
            for (int32_t kx = at.columns.begin; kx < at.columns.end; ++kx) {
                tinyflow_dot_4(&sums, row + (at.in_x + kx * layer->dilation_w) * layer->in_c,
                               layer->in_zero, w + kx * depth, w_step, 0, depth);
            }
        }
    }
    return sums;
}

/* Two neighbouring output pixels, all of whose columns lie on the image. */
TINYFLOW_INLINE void tinyflow_conv2d_s8_block_4x2(const tinyflow_conv2d_s8 *layer,
                                                  tinyflow_const_rows in,
                                                  tinyflow_conv2d_window at, int32_t o,
                                                  tinyflow_sums *sums, tinyflow_sums *next)
{
    const int32_t depth = layer->in_c / layer->groups;
    const int32_t w_step = layer->kernel_h * layer->kernel_w * depth;
    const int32_t x_step = layer->stride_w * layer->in_c;
    *sums = tinyflow_bias_4(layer->bias + o);
    *next = *sums;
    for (int32_t ky = at.rows.begin; ky < at.rows.end; ++ky) {
        const int8_t *x = tinyflow_const_row(in, at.in_y + ky * layer->dilation_h, layer->in_h) +
                          at.in_x * layer->in_c + at.in_c;
        const int8_t *w = layer->weights + o * w_step + ky * layer->kernel_w * depth;
        if (tinyflow_conv2d_is_dense(layer)) {
            tinyflow_dot_4x2(sums, next, x, x_step, layer->in_zero, w, w_step,
                             layer->kernel_w * depth);
        } else {
            for (int32_t kx = 0; kx < layer->kernel_w; ++kx) {
                tinyflow_dot_4x2(sums, next, x + kx * layer->dilation_w * layer->in_c, x_step,
                                 layer->in_zero, w + kx * depth, w_step, depth);
            }
        }
    }
}

TINYFLOW_INLINE int32_t tinyflow_conv2d_s8_block_1(const tinyflow_conv2d_s8 *layer,
                                                   tinyflow_const_rows in,
                                                   tinyflow_conv2d_window at, int32_t o)
{
    const int32_t depth = layer->in_c / layer->groups;
    const int8_t *w = layer->weights + o * layer->kernel_h * layer->kernel_w * depth;
    int32_t sum = layer->bias[o];
    for (int32_t ky = at.rows.begin; ky < at.rows.end; ++ky) {
        const int8_t *row =
            tinyflow_const_row(in, at.in_y + ky * layer->dilation_h, layer->in_h) + at.in_c;
        for (int32_t kx = at.columns.begin; kx < at.columns.end; ++kx) {
            sum = tinyflow_dot_1(sum, row + (at.in_x + kx * layer->dilation_w) * layer->in_c,
                                 layer->in_zero, w + (ky * layer->kernel_w + kx) * depth, 0, depth);
        }
    }
    return sum;
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_conv2d_s8_rows(const tinyflow_conv2d_s8 *layer,
                                             tinyflow_const_rows in, tinyflow_rows out, int32_t y0,
                                             int32_t y1)
{
    const tinyflow_epilogue epilogue = {layer->bias,     layer->multiplier, layer->shift,
                                        layer->out_zero, layer->lo,         layer->hi};
    const int32_t reach = (layer->kernel_w - 1) * layer->dilation_w;
    const int32_t group_in = layer->in_c / layer->groups;
    const int32_t group_out = layer->out_c / layer->groups;
    tinyflow_conv2d_window at;

    for (int32_t y = y0; y < y1; ++y) {
        int8_t *restrict out_row = tinyflow_row(out, y, layer->out_h);
        at.in_y = y * layer->stride_h - layer->pad_top;
        at.rows = tinyflow_valid_taps(at.in_y, layer->in_h, layer->kernel_h, layer->dilation_h);

        for (int32_t group = 0; group < layer->groups; ++group) {
            const int32_t first = group * group_out;
            const int32_t blocks_end = first + group_out / 4 * 4;
            at.in_c = group * group_in;

            for (int32_t o = first; o < blocks_end; o += 4) {
                for (int32_t x = 0; x < layer->out_w; ++x) {
                    int8_t *pixel = out_row + x * layer->out_c + o;
                    at.in_x = x * layer->stride_w - layer->pad_left;
                    if (x + 1 < layer->out_w && at.in_x >= 0 &&
                        at.in_x + layer->stride_w + reach < layer->in_w) {
                        tinyflow_sums sums, next;
                        tinyflow_conv2d_s8_block_4x2(layer, in, at, o, &sums, &next);
                        tinyflow_store_4(epilogue, o, sums, pixel);
                        tinyflow_store_4(epilogue, o, next, pixel + layer->out_c);
                        ++x;
                    } else {
                        at.columns = tinyflow_valid_taps(at.in_x, layer->in_w, layer->kernel_w,
                                                         layer->dilation_w);
                        tinyflow_store_4(epilogue, o,
                                         tinyflow_conv2d_s8_block_4(layer, in, at, o), pixel);
                    }
                }
            }
            for (int32_t o = blocks_end; o < first + group_out; ++o) {
                for (int32_t x = 0; x < layer->out_w; ++x) {
                    at.in_x = x * layer->stride_w - layer->pad_left;
                    at.columns = tinyflow_valid_taps(at.in_x, layer->in_w, layer->kernel_w,
                                                     layer->dilation_w);
                    tinyflow_store_1(epilogue, o, tinyflow_conv2d_s8_block_1(layer, in, at, o),
                                     out_row + x * layer->out_c + o);
                }
            }
        }
    }
}

#endif
