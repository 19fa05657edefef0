/*
 * conv2d_pairs_s8.h - CONV_2D in one group, four pixels at a time: their windows are gathered as
 * words, padding included, each row of a window from a new word on.
 *
 * Windows are gathered before their pixels are written.
 */
#ifndef TINYFLOW_CONV2D_PAIRS_S8_H
#define TINYFLOW_CONV2D_PAIRS_S8_H

#include "thumb1/quads_s8.h"

typedef struct {
    int32_t in_h, in_row; /* codes of a row */
    int32_t out_h, out_w;
    int32_t kernel_h, run; /* codes of a row of the window */
    int32_t stride_h, step; /* codes from window to window */
    int32_t dilation_h;
    int32_t pad_top, before; /* codes of padding before a row */
    int32_t in_zero;
    tinyflow_quads quads;
} tinyflow_conv2d_pairs_s8;

/* Code i of a row, or of the padding beside it. */
TINYFLOW_INLINE int32_t tinyflow_conv2d_pairs_code(const tinyflow_conv2d_pairs_s8 *layer,
                                                   const int8_t *row, int32_t i)
{
    return i >= 0 && i < layer->in_row ? row[i] : layer->in_zero;
}

/* The window of one pixel, as words 4 apart. */
TINYFLOW_INLINE void tinyflow_conv2d_pairs_gather(const tinyflow_conv2d_pairs_s8 *layer,
                                                  tinyflow_const_rows in, int32_t y, int32_t x,
                                                  int32_t *words)
{
    const int32_t first = x * layer->step - layer->before;
    const int32_t end = first + layer->run;
    for (int32_t ky = 0; ky < layer->kernel_h; ++ky) {
        const int32_t in_y = y * layer->stride_h - layer->pad_top + ky * layer->dilation_h;
        if (in_y < 0 || in_y >= layer->in_h) {
            for (int32_t i = 0; i < layer->run; i += 2) {
                *words = tinyflow_pair_word(layer->in_zero, layer->in_zero);
                words += 4;
            }
            continue;
        }
        const int8_t *row = tinyflow_const_row(in, in_y, layer->in_h);
        if (first >= 0 && end <= layer->in_row) {
            words = tinyflow_pair_codes(row + first, layer->run, words, 4);
            continue;
        }
        for (int32_t i = first; i < end; i += 2) {
            *words = tinyflow_pair_word(tinyflow_conv2d_pairs_code(layer, row, i),
                                        tinyflow_conv2d_pairs_code(layer, row, i + 1));
            words += 4;
        }
    }
}

/* `pixels` from the start of row y on, across rows. */
TINYFLOW_INLINE void tinyflow_conv2d_pairs_s8_pixels(const tinyflow_conv2d_pairs_s8 *layer,
                                                     tinyflow_const_rows in, int8_t *out,
                                                     int32_t *scratch, int32_t y, int32_t pixels)
{
    int32_t x = 0;
    for (int32_t done = 0; done < pixels; done += 4) {
        const int32_t count = pixels - done < 4 ? pixels - done : 4;
        for (int32_t i = 0; i < count; ++i) {
            tinyflow_conv2d_pairs_gather(layer, in, y, x, scratch + i);
            if (++x == layer->out_w) {
                x = 0;
                ++y;
            }
        }
        tinyflow_quad(&layer->quads, scratch, out + done * layer->quads.out_c, count);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_conv2d_pairs_s8_rows(const tinyflow_conv2d_pairs_s8 *layer,
                                                   tinyflow_const_rows in, tinyflow_rows out,
                                                   void *scratch, int32_t y0, int32_t y1)
{
    int32_t *words = (int32_t *)scratch;
    const int32_t rows = out.ring >= layer->out_h ? y1 - y0 : 1;
    for (int32_t y = y0; y < y1; y += rows) {
        tinyflow_conv2d_pairs_s8_pixels(layer, in, tinyflow_row(out, y, layer->out_h), words, y,
                                        rows * layer->out_w);
    }
}

#endif
