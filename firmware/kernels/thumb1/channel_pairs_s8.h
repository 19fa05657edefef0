/*
 * channel_pairs_s8.h - a pixel or a few by a matrix, four channels at a time: FULLY_CONNECTED, and
 * CONV_2D of 1x1 pixels.
 *
 * A pixel is read before it is written.
 */
#ifndef TINYFLOW_CHANNEL_PAIRS_S8_H
#define TINYFLOW_CHANNEL_PAIRS_S8_H

#include <string.h>

#include "thumb1/pairs_s8.h"

typedef void (*tinyflow_pairs_channels)(const int32_t *activations, const int32_t *weights,
                                        int8_t *out);

typedef struct {
    int32_t height, width;
    int32_t in_c, out_c;
    int32_t pairs;
    tinyflow_pairs_channels block;
    const int32_t *weights;
} tinyflow_channel_pairs_s8;

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_channel_pairs_s8_rows(const tinyflow_channel_pairs_s8 *layer,
                                                    tinyflow_const_rows in, tinyflow_rows out,
                                                    void *scratch, int32_t y0, int32_t y1)
{
    int32_t *words = (int32_t *)scratch;
    int8_t *behind = (int8_t *)(words + layer->pairs);
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *in_row = tinyflow_const_row(in, y, layer->height);
        int8_t *out_row = tinyflow_row(out, y, layer->height);
        for (int32_t x = 0; x < layer->width; ++x) {
            int8_t *pixel = out_row + x * layer->out_c;
            tinyflow_pair_codes(in_row + x * layer->in_c, layer->in_c, words, 1);
            if (layer->out_c % 4 == 0) {
                layer->block(words, layer->weights, pixel);
            } else {
                layer->block(words, layer->weights, behind);
                memcpy(pixel, behind, (size_t)layer->out_c);
            }
        }
    }
}

#endif
