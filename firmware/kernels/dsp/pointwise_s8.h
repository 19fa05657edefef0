/*
 * pointwise_s8.h - each pixel by a matrix: CONV_2D of 1x1 pixels without stride or padding, and
 * FULLY_CONNECTED.
 *
 * A chunk of neighbouring pixels is widened before anything is written, so that the result may
 * take the place of the input where it has no more channels, or where one chunk holds it all.
 */
#ifndef TINYFLOW_POINTWISE_S8_H
#define TINYFLOW_POINTWISE_S8_H

#include "dsp/products_s8.h"
#include "dsp/widen_s8.h"

typedef struct {
    int32_t height, width;
    int32_t in_c, out_c;
    int32_t chunk; /* pixels, an even number unless it is all of them */
    tinyflow_widen widen;
    tinyflow_product_blocks blocks;
} tinyflow_pointwise_s8;

TINYFLOW_INLINE void tinyflow_pointwise_s8_pixels(const tinyflow_pointwise_s8 *layer,
                                                  const int8_t *in, int8_t *out,
                                                  int16_t *widened, int32_t pixels)
{
    for (int32_t done = 0; done < pixels; done += layer->chunk) {
        const int32_t now = pixels - done < layer->chunk ? pixels - done : layer->chunk;
        const int16_t *run = widened;
        layer->widen(in + done * layer->in_c, widened, now * layer->in_c);
        tinyflow_products_of_pixels(&layer->blocks, &run, out + done * layer->out_c, now);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_pointwise_s8_rows(const tinyflow_pointwise_s8 *layer,
                                                tinyflow_const_rows in, tinyflow_rows out,
                                                void *scratch, int32_t y0, int32_t y1)
{
    int16_t *widened = (int16_t *)scratch;
    if (in.ring >= layer->height && out.ring >= layer->height) {
        tinyflow_pointwise_s8_pixels(layer, tinyflow_const_row(in, y0, layer->height),
                                     tinyflow_row(out, y0, layer->height), widened,
                                     (y1 - y0) * layer->width);
        return;
    }
    for (int32_t y = y0; y < y1; ++y) {
        tinyflow_pointwise_s8_pixels(layer, tinyflow_const_row(in, y, layer->height),
                                     tinyflow_row(out, y, layer->height), widened, layer->width);
    }
}

#endif
