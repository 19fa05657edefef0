/*
 * conv2d_line_s8.h - CONV_2D in one group along an image of one row.
 *
 * The line is widened piece by piece, each piece with the padding that its windows reach, before
 * the piece's pixels are written. The next piece begins anew at its own first window.
 */
#ifndef TINYFLOW_CONV2D_LINE_S8_H
#define TINYFLOW_CONV2D_LINE_S8_H

#include "dsp/products_s8.h"
#include "dsp/widen_s8.h"

typedef struct {
    int32_t out_w;
    int32_t piece;  /* pixels, an even number unless it is all of them */
    int32_t run;    /* activations of a window */
    int32_t before; /* activations of padding, then of the image */
    int32_t inside;
    int32_t in_zero;
    tinyflow_widen widen;
    tinyflow_product_blocks blocks;
} tinyflow_conv2d_line_s8;

/* Activations [begin, end) of the padded line. The first one that lies on the image goes to a
 * word, so that the rest can be widened in words; returns where the first one of all went. */
TINYFLOW_INLINE const int16_t *tinyflow_conv2d_line_widen(const tinyflow_conv2d_line_s8 *layer,
                                                          const int8_t *in, int16_t *out,
                                                          int32_t begin, int32_t end)
{
    const int32_t image_end = layer->before + layer->inside;
    const int32_t padding = begin < layer->before ? layer->before - begin : 0;
    int16_t *first = out + padding % 2;
    int32_t at = begin;
    while (at < end && at < layer->before) {
        first[at++ - begin] = (int16_t)layer->in_zero;
    }
    if (at < end && at < image_end) {
        const int32_t stop = end < image_end ? end : image_end;
        layer->widen(in + at - layer->before, first + at - begin, stop - at);
        at = stop;
    }
    while (at < end) {
        first[at++ - begin] = (int16_t)layer->in_zero;
    }
    return first;
}

/* Output row 0, the only one. */
TINYFLOW_INLINE void tinyflow_conv2d_line_s8_rows(const tinyflow_conv2d_line_s8 *layer,
                                                  tinyflow_const_rows in, tinyflow_rows out,
                                                  void *scratch, int32_t y0, int32_t y1)
{
    const int32_t step = layer->blocks.pixel_step;
    for (int32_t x = 0; y0 < y1 && x < layer->out_w; x += layer->piece) {
        const int32_t now = layer->out_w - x < layer->piece ? layer->out_w - x : layer->piece;
        const int16_t *row = tinyflow_conv2d_line_widen(
            layer, in.data, (int16_t *)scratch, x * step, (x + now - 1) * step + layer->run);
        tinyflow_products_of_pixels(&layer->blocks, &row, out.data + x * layer->blocks.out_step, now);
    }
}

#endif
