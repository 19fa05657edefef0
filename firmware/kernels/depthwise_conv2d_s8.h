/*
 * depthwise_conv2d_s8.h - DEPTHWISE_CONV_2D.
 *
 *   out[y][x][c] = clamp(requantize(bias[c] + sum((in - in_zero) * weights[..][c])) + out_zero)
 *
 * Output channel c reads input channel c / multiplicity. Taps outside the image do not count.
 */
#ifndef TINYFLOW_DEPTHWISE_CONV2D_S8_H
#define TINYFLOW_DEPTHWISE_CONV2D_S8_H

#include "dot_s8.h"
#include "window.h"

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t multiplicity; /* out_c / in_c */
    int32_t in_zero, out_zero;
    int32_t lo, hi;
    const int8_t *weights;     /* [kernel_h][kernel_w][out_c] */
    const int32_t *bias;       /* [out_c] */
    const int32_t *multiplier; /* [out_c] */
    const int8_t *shift;       /* [out_c] */
} tinyflow_depthwise_conv2d_s8;

/* Where one window lies: `in_y`, `in_x` are the pixel of tap (0, 0). */
typedef struct {
    int32_t in_y, in_x;
    tinyflow_taps rows, columns;
} tinyflow_depthwise_window;

/* Channels c .. c + 3 of one output pixel, each of its own input channel. */
TINYFLOW_INLINE tinyflow_sums
tinyflow_depthwise_conv2d_s8_block_4(const tinyflow_depthwise_conv2d_s8 *layer,
                                     tinyflow_const_rows in, tinyflow_depthwise_window at,
                                     int32_t c)
{
    tinyflow_sums sums = tinyflow_bias_4(layer->bias + c);
    for (int32_t ky = at.rows.begin; ky < at.rows.end; ++ky) {
        const int8_t *restrict row =
            tinyflow_const_row(in, at.in_y + ky * layer->dilation_h, layer->in_h);
        const int8_t *restrict x =
            row + (at.in_x + at.columns.begin * layer->dilation_w) * layer->in_c + c;
        const int8_t *restrict w =
            layer->weights + (ky * layer->kernel_w + at.columns.begin) * layer->out_c + c;
        for (int32_t kx = at.columns.begin; kx < at.columns.end; ++kx) {
            sums.c0 += (x[0] - layer->in_zero) * w[0];
            sums.c1 += (x[1] - layer->in_zero) * w[1];
            sums.c2 += (x[2] - layer->in_zero) * w[2];
            sums.c3 += (x[3] - layer->in_zero) * w[3];
            x += layer->dilation_w * layer->in_c;
            w += layer->out_c;
        }
    }
    return sums;
}

TINYFLOW_INLINE int32_t
tinyflow_depthwise_conv2d_s8_block_1(const tinyflow_depthwise_conv2d_s8 *layer,
                                     tinyflow_const_rows in, tinyflow_depthwise_window at,
                                     int32_t c)
{
    const int32_t in_c = c / layer->multiplicity;
    int32_t sum = layer->bias[c];
    for (int32_t ky = at.rows.begin; ky < at.rows.end; ++ky) {
        const int8_t *row =
            tinyflow_const_row(in, at.in_y + ky * layer->dilation_h, layer->in_h) + in_c;
        const int8_t *w = layer->weights + ky * layer->kernel_w * layer->out_c + c;
        for (int32_t kx = at.columns.begin; kx < at.columns.end; ++kx) {
            sum += (row[(at.in_x + kx * layer->dilation_w) * layer->in_c] - layer->in_zero) *
                   w[kx * layer->out_c];
        }
    }
    return sum;
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_depthwise_conv2d_s8_rows(const tinyflow_depthwise_conv2d_s8 *layer,
                                                       tinyflow_const_rows in, tinyflow_rows out,
                                                       int32_t y0, int32_t y1)
{
    const tinyflow_epilogue epilogue = {layer->bias,     layer->multiplier, layer->shift,
                                        layer->out_zero, layer->lo,         layer->hi};
    const int32_t blocks_end = layer->multiplicity == 1 ? layer->out_c / 4 * 4 : 0;
    tinyflow_depthwise_window at;

    for (int32_t y = y0; y < y1; ++y) {
        int8_t *restrict out_row = tinyflow_row(out, y, layer->out_h);
        at.in_y = y * layer->stride_h - layer->pad_top;
        at.rows = tinyflow_valid_taps(at.in_y, layer->in_h, layer->kernel_h, layer->dilation_h);
        for (int32_t x = 0; x < layer->out_w; ++x) {
            int8_t *pixel = out_row + x * layer->out_c;
            at.in_x = x * layer->stride_w - layer->pad_left;
            at.columns =
                tinyflow_valid_taps(at.in_x, layer->in_w, layer->kernel_w, layer->dilation_w);
            for (int32_t c = 0; c < blocks_end; c += 4) {
                tinyflow_store_4(epilogue, c,
                                 tinyflow_depthwise_conv2d_s8_block_4(layer, in, at, c), pixel + c);
            }
            for (int32_t c = blocks_end; c < layer->out_c; ++c) {
                tinyflow_store_1(epilogue, c,
                                 tinyflow_depthwise_conv2d_s8_block_1(layer, in, at, c), pixel + c);
            }
        }
    }
}

#endif
