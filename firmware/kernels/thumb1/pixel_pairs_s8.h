/*
 * pixel_pairs_s8.h - each pixel by a matrix, four pixels at a time: CONV_2D of 1x1 pixels without
 * stride or padding, and FULLY_CONNECTED over tokens.
 *
 * Four pixels are read before any of them is written.
 */
#ifndef TINYFLOW_PIXEL_PAIRS_S8_H
#define TINYFLOW_PIXEL_PAIRS_S8_H

#include "thumb1/quads_s8.h"

typedef struct {
    int32_t height, width;
    int32_t in_c;
    tinyflow_quads quads;
} tinyflow_pixel_pairs_s8;

TINYFLOW_INLINE void tinyflow_pixel_pairs_s8_pixels(const tinyflow_pixel_pairs_s8 *layer,
                                                    const int8_t *in, int8_t *out,
                                                    int32_t *scratch, int32_t pixels)
{
    for (int32_t x = 0; x < pixels; x += 4) {
        const int32_t count = pixels - x < 4 ? pixels - x : 4;
        for (int32_t i = 0; i < count; ++i) {
            tinyflow_pair_codes(in + (x + i) * layer->in_c, layer->in_c, scratch + i, 4);
        }
        tinyflow_quad(&layer->quads, scratch, out + x * layer->quads.out_c, count);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_pixel_pairs_s8_rows(const tinyflow_pixel_pairs_s8 *layer,
                                                  tinyflow_const_rows in, tinyflow_rows out,
                                                  void *scratch, int32_t y0, int32_t y1)
{
    int32_t *words = (int32_t *)scratch;
    if (in.ring >= layer->height && out.ring >= layer->height) {
        tinyflow_pixel_pairs_s8_pixels(layer, tinyflow_const_row(in, y0, layer->height),
                                       tinyflow_row(out, y0, layer->height), words,
                                       (y1 - y0) * layer->width);
        return;
    }
    for (int32_t y = y0; y < y1; ++y) {
        tinyflow_pixel_pairs_s8_pixels(layer, tinyflow_const_row(in, y, layer->height),
                                       tinyflow_row(out, y, layer->height), words, layer->width);
    }
}

#endif
