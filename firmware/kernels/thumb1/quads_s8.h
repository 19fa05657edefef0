/*
 * quads_s8.h - blocks that compute four pixels at a time, and what is left of a row.
 */
#ifndef TINYFLOW_QUADS_S8_H
#define TINYFLOW_QUADS_S8_H

#include <string.h>

#include "thumb1/pairs_s8.h"

typedef void (*tinyflow_pairs_pixels)(const int32_t *activations, const int32_t *weights,
                                      int8_t *out, int32_t step);

typedef struct {
    tinyflow_pairs_pixels block;
    const int32_t *weights;
    int32_t pairs, out_c;
} tinyflow_quads;

/* `count` of four pixels, whose words lie in `scratch`. The block computes all four; where that is
 * too many, it does so behind the words. */
TINYFLOW_INLINE void tinyflow_quad(const tinyflow_quads *quads, int32_t *scratch, int8_t *out,
                                   int32_t count)
{
    if (count == 4) {
        quads->block(scratch, quads->weights, out, quads->out_c);
        return;
    }
    int8_t *behind = (int8_t *)(scratch + 4 * quads->pairs);
    for (int32_t i = 0; i < quads->pairs; ++i) {
        for (int32_t pixel = count; pixel < 4; ++pixel) {
            scratch[4 * i + pixel] = 0;
        }
    }
    quads->block(scratch, quads->weights, behind, quads->out_c);
    memcpy(out, behind, (size_t)(count * quads->out_c));
}

#endif
