/*
 * conv2d_ring_s8.h - CONV_2D in one group over a ring of widened rows.
 *
 * The ring holds as many input rows as the kernel spans, each widened once and bordered by the
 * padding, so that every row of a window is one run of activations without a case for the edges.
 * An output row is written after the input rows that it needs were widened. Where the runs are
 * short, a pixel's are gathered into one behind the ring.
 */
#ifndef TINYFLOW_CONV2D_RING_S8_H
#define TINYFLOW_CONV2D_RING_S8_H

#include "dsp/gather_q15.h"
#include "dsp/products_s8.h"
#include "dsp/widen_s8.h"

typedef struct {
    int32_t in_h, out_h, out_w;
    int32_t kernel_h, stride_h, dilation_h, pad_top;
    int32_t in_zero;
    int32_t first;  /* where in a row of the ring the padded image begins */
    int32_t before; /* activations of padding, then of the image, that the kernel reads */
    int32_t inside;
    int32_t pitch; /* activations from one row of the ring to the next */
    int32_t ring;  /* rows */
    int32_t chunk; /* pixels that are gathered at a time */
    tinyflow_widen widen;
    tinyflow_gather gather; /* or NULL: the blocks read the ring itself */
    tinyflow_product_blocks blocks;
} tinyflow_conv2d_ring_s8;

TINYFLOW_INLINE void tinyflow_fill_q15(int16_t *out, int32_t count, int32_t value)
{
    for (int32_t i = 0; i < count; ++i) {
        out[i] = (int16_t)value;
    }
}

/* The row of the ring for input row `y`, which may lie in the padding. */
TINYFLOW_INLINE int16_t *tinyflow_conv2d_ring_row(const tinyflow_conv2d_ring_s8 *layer,
                                                  int16_t *ring, int32_t y)
{
    return ring + (y + layer->pad_top) % layer->ring * layer->pitch;
}

TINYFLOW_INLINE void tinyflow_conv2d_ring_widen(const tinyflow_conv2d_ring_s8 *layer,
                                                tinyflow_const_rows in, int16_t *ring, int32_t y)
{
    int16_t *row = tinyflow_conv2d_ring_row(layer, ring, y) + layer->first + layer->before;
    if (y >= 0 && y < layer->in_h) {
        layer->widen(tinyflow_const_row(in, y, layer->in_h), row, layer->inside);
    } else {
        tinyflow_fill_q15(row, layer->inside, layer->in_zero);
    }
}

/* Fills what lies left and right of the image in each row of the ring: it stays. */
TINYFLOW_INLINE void tinyflow_conv2d_ring_border(const tinyflow_conv2d_ring_s8 *layer,
                                                 int16_t *ring)
{
    const int32_t begin = layer->first + layer->before;
    const int32_t end = begin + layer->inside;
    for (int32_t row = 0; row < layer->ring; ++row) {
        tinyflow_fill_q15(ring + row * layer->pitch, begin, layer->in_zero);
        tinyflow_fill_q15(ring + row * layer->pitch + end, layer->pitch - end, layer->in_zero);
    }
}

/* A row of pixels whose windows begin at `runs`. */
TINYFLOW_INLINE void tinyflow_conv2d_ring_pixels(const tinyflow_conv2d_ring_s8 *layer,
                                                 const int16_t *const *runs, int16_t *gathered,
                                                 int8_t *out)
{
    if (layer->gather == NULL) {
        tinyflow_products_of_pixels(&layer->blocks, runs, out, layer->out_w);
        return;
    }
    for (int32_t x = 0; x < layer->out_w; x += layer->chunk) {
        const int32_t now = layer->out_w - x < layer->chunk ? layer->out_w - x : layer->chunk;
        const int16_t *run = gathered;
        layer->gather(runs, gathered, x, now);
        tinyflow_products_of_pixels(&layer->blocks, &run, out + x * layer->blocks.out_c, now);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_conv2d_ring_s8_rows(const tinyflow_conv2d_ring_s8 *layer,
                                                  tinyflow_const_rows in, tinyflow_rows out,
                                                  void *scratch, int32_t y0, int32_t y1)
{
    int16_t *ring = (int16_t *)scratch;
    const int16_t *runs[TINYFLOW_MOST_RUNS];
    int32_t next = y0 * layer->stride_h - layer->pad_top;

    tinyflow_conv2d_ring_border(layer, ring);
    for (int32_t y = y0; y < y1; ++y) {
        const int32_t top = y * layer->stride_h - layer->pad_top;
        for (next = next < top ? top : next; next < top + layer->ring; ++next) {
            tinyflow_conv2d_ring_widen(layer, in, ring, next);
        }
        for (int32_t k = 0; k < layer->kernel_h; ++k) {
            runs[k] = tinyflow_conv2d_ring_row(layer, ring, top + k * layer->dilation_h) +
                      layer->first;
        }
        tinyflow_conv2d_ring_pixels(layer, runs, ring + layer->ring * layer->pitch,
                                    tinyflow_row(out, y, layer->out_h));
    }
}

#endif
