/*
 * transpose_conv2d_s8.h - TRANSPOSE_CONV_2D.
 *
 * Input pixel i meets output pixel i * stride - pad + k through tap k. Each output pixel gathers
 * its taps, so that rows can be computed in any order:
 *
 *   out[y][x][o] = clamp(requantize(bias[o] + sum((in - in_zero) * weights[o])) + out_zero)
 */
#ifndef TINYFLOW_TRANSPOSE_CONV2D_S8_H
#define TINYFLOW_TRANSPOSE_CONV2D_S8_H

#include "dot_s8.h"

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left; /* rows and columns cropped from the full result */
    int32_t in_zero, out_zero;
    int32_t lo, hi;
    const int8_t *weights;     /* [out_c][kernel_h][kernel_w][in_c] */
    const int32_t *bias;       /* [out_c] */
    const int32_t *multiplier; /* [out_c] */
    const int8_t *shift;       /* [out_c] */
} tinyflow_transpose_conv2d_s8;

/* Pixel (row or column) `out` of the uncropped result: its taps are `first`, `first` + stride ...
 * below `end`, and the pixel of tap k is (out - k) / stride. */
typedef struct {
    int32_t out, first, end;
} tinyflow_transpose_taps;

TINYFLOW_INLINE tinyflow_transpose_taps tinyflow_find_transpose_taps(int32_t out, int32_t size,
                                                                     int32_t kernel, int32_t stride)
{
    tinyflow_transpose_taps taps = {out, out % stride, kernel};
    const int32_t last = (size - 1) * stride;
    if (out - taps.first > last) {
        taps.first = out - last;
    }
    if (out < kernel - 1) {
        taps.end = out + 1;
    }
    return taps;
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_transpose_conv2d_s8_rows(const tinyflow_transpose_conv2d_s8 *layer,
                                                       tinyflow_const_rows in, tinyflow_rows out,
                                                       int32_t y0, int32_t y1)
{
    const tinyflow_epilogue epilogue = {layer->bias,     layer->multiplier, layer->shift,
                                        layer->out_zero, layer->lo,         layer->hi};
    const int32_t w_step = layer->kernel_h * layer->kernel_w * layer->in_c;
    const int32_t blocks_end = layer->out_c / 4 * 4;

    for (int32_t y = y0; y < y1; ++y) {
        int8_t *restrict out_row = tinyflow_row(out, y, layer->out_h);
        const tinyflow_transpose_taps rows = tinyflow_find_transpose_taps(
            y + layer->pad_top, layer->in_h, layer->kernel_h, layer->stride_h);
        for (int32_t x = 0; x < layer->out_w; ++x) {
            int8_t *pixel = out_row + x * layer->out_c;
            const tinyflow_transpose_taps columns = tinyflow_find_transpose_taps(
                x + layer->pad_left, layer->in_w, layer->kernel_w, layer->stride_w);
            for (int32_t o = 0; o < blocks_end; o += 4) {
                tinyflow_sums sums = tinyflow_bias_4(layer->bias + o);
                for (int32_t ky = rows.first; ky < rows.end; ky += layer->stride_h) {
                    const int8_t *row = tinyflow_const_row(in, (rows.out - ky) / layer->stride_h,
                                                           layer->in_h);
                    for (int32_t kx = columns.first; kx < columns.end; kx += layer->stride_w) {
                        tinyflow_dot_4(
                            &sums, row + (columns.out - kx) / layer->stride_w * layer->in_c,
                            layer->in_zero,
                            layer->weights + o * w_step +
                                (ky * layer->kernel_w + kx) * layer->in_c,
                            w_step, 0, layer->in_c);
                    }
                }
                tinyflow_store_4(epilogue, o, sums, pixel + o);
            }
            for (int32_t o = blocks_end; o < layer->out_c; ++o) {
                int32_t sum = layer->bias[o];
                for (int32_t ky = rows.first; ky < rows.end; ky += layer->stride_h) {
                    const int8_t *row = tinyflow_const_row(in, (rows.out - ky) / layer->stride_h,
                                                           layer->in_h);
                    for (int32_t kx = columns.first; kx < columns.end; kx += layer->stride_w) {
                        sum = tinyflow_dot_1(
                            sum, row + (columns.out - kx) / layer->stride_w * layer->in_c,
                            layer->in_zero,
                            layer->weights + o * w_step +
                                (ky * layer->kernel_w + kx) * layer->in_c,
                            0, layer->in_c);
                    }
                }
                tinyflow_store_1(epilogue, o, sum, pixel + o);
            }
        }
    }
}

#endif
