/*
 * conv2d_ring_s8.h - CONV_2D over a ring of widened rows.
 *
 * The ring holds as many input rows as the kernel spans, each widened once and bordered by the
 * padding, so that every row of a window is one run of activations without a case for the edges.
 * Each group of channels has a plane of its own in the row, for the same reason. An output row is written after the input rows that it needs were widened. Where the runs are
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
    int32_t groups;
    int32_t group_c;  /* channels of a group in the result */
    int32_t piece;    /* activations of a group that lie side by side in an input row */
    int32_t pieces;   /* of a row, as far as the kernel reads it */
    int32_t distance; /* from one piece to the next */
    int32_t first;    /* where in a plane the padded image begins */
    int32_t before;   /* activations of padding, then of the image, that the kernel reads */
    int32_t inside;
    int32_t plane; /* activations from one plane to the next */
    int32_t ring;  /* rows of one plane for each group */
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
    return ring + (y + layer->pad_top) % layer->ring * layer->groups * layer->plane;
}

TINYFLOW_INLINE void tinyflow_conv2d_ring_widen(const tinyflow_conv2d_ring_s8 *layer,
                                                tinyflow_const_rows in, int16_t *ring, int32_t y)
{
    int16_t *plane = tinyflow_conv2d_ring_row(layer, ring, y) + layer->first + layer->before;
    for (int32_t group = 0; group < layer->groups; ++group, plane += layer->plane) {
        if (y < 0 || y >= layer->in_h) {
            tinyflow_fill_q15(plane, layer->inside, layer->in_zero);
            continue;
        }
        const int8_t *row = tinyflow_const_row(in, y, layer->in_h) + group * layer->piece;
        for (int32_t i = 0; i < layer->pieces; ++i) {
            layer->widen(row + i * layer->distance, plane + i * layer->piece, layer->piece);
        }
    }
}

/* Fills what lies left and right of the image in each plane of the ring: it stays. */
TINYFLOW_INLINE void tinyflow_conv2d_ring_border(const tinyflow_conv2d_ring_s8 *layer,
                                                 int16_t *ring)
{
    const int32_t begin = layer->first + layer->before;
    const int32_t end = begin + layer->inside;
    for (int32_t i = 0; i < layer->ring * layer->groups; ++i) {
        int16_t *plane = ring + i * layer->plane;
        tinyflow_fill_q15(plane, begin, layer->in_zero);
        tinyflow_fill_q15(plane + end, layer->plane - end, layer->in_zero);
    }
}

/* The channels of one group in a row of pixels whose windows begin at `runs`. */
TINYFLOW_INLINE void tinyflow_conv2d_ring_pixels(const tinyflow_conv2d_ring_s8 *layer,
                                                 const tinyflow_product_blocks *blocks,
                                                 const int16_t *const *runs, int16_t *gathered,
                                                 int8_t *out)
{
    if (layer->gather == NULL) {
        tinyflow_products_of_pixels(blocks, runs, out, layer->out_w);
        return;
    }
    for (int32_t x = 0; x < layer->out_w; x += layer->chunk) {
        const int32_t now = layer->out_w - x < layer->chunk ? layer->out_w - x : layer->chunk;
        const int16_t *run = gathered;
        layer->gather(runs, gathered, x, now);
        tinyflow_products_of_pixels(blocks, &run, out + x * blocks->out_step, now);
    }
}

/* Row `y` of the result, whose windows are in the ring. */
TINYFLOW_INLINE void tinyflow_conv2d_ring_result(const tinyflow_conv2d_ring_s8 *layer,
                                                 int16_t *ring, int8_t *out, int32_t y)
{
    const int32_t top = y * layer->stride_h - layer->pad_top;
    tinyflow_product_blocks blocks = layer->blocks;
    for (int32_t group = 0; group < layer->groups; ++group) {
        const int16_t *runs[TINYFLOW_MOST_RUNS];
        for (int32_t k = 0; k < layer->kernel_h; ++k) {
            runs[k] = tinyflow_conv2d_ring_row(layer, ring, top + k * layer->dilation_h) +
                      group * layer->plane + layer->first;
        }
        tinyflow_conv2d_ring_pixels(layer, &blocks, runs,
                                    ring + layer->ring * layer->groups * layer->plane,
                                    out + group * layer->group_c);
        blocks.weights += blocks.group_words;
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_conv2d_ring_s8_rows(const tinyflow_conv2d_ring_s8 *layer,
                                                  tinyflow_const_rows in, tinyflow_rows out,
                                                  void *scratch, int32_t y0, int32_t y1)
{
    int16_t *ring = (int16_t *)scratch;
    int32_t next = y0 * layer->stride_h - layer->pad_top;

    tinyflow_conv2d_ring_border(layer, ring);
    for (int32_t y = y0; y < y1; ++y) {
        const int32_t top = y * layer->stride_h - layer->pad_top;
        for (next = next < top ? top : next; next < top + layer->ring; ++next) {
            tinyflow_conv2d_ring_widen(layer, in, ring, next);
        }
        tinyflow_conv2d_ring_result(layer, ring, tinyflow_row(out, y, layer->out_h), y);
    }
}

#endif
