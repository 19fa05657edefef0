/*
 * layer_norm_s8.h - LAYER_NORM: each pixel brought to mean 0 and variance 1 over its channels.
 *
 * Codes are taken as they are: scale and zero point of the input cancel, up to epsilon. All 64-bit
 * work is per pixel. Results are rounded once, ties up. The output may take the place of the input.
 */
#ifndef TINYFLOW_LAYER_NORM_S8_H
#define TINYFLOW_LAYER_NORM_S8_H

#include "inverse_root.h"
#include "requantize.h"

typedef struct {
    int32_t height, width, channels;
    int64_t epsilon;      /* times (channels / input scale)^2, 16 fractional bits */
    uint32_t factor;      /* of the inverse root, with `shift` */
    int32_t shift;
    int32_t reciprocal;   /* of channels, with `mean_shift` */
    int32_t mean_shift;
    int32_t fraction;     /* bits of a sum below the code */
    int32_t start;        /* the zero point as a sum, half a code added */
    const int32_t *gamma; /* [channels], or NULL where all are one: then it is in `factor` */
    const int32_t *beta;  /* [channels], in place of `start` */
} tinyflow_layer_norm_s8;

/* A pixel's codes less their mean, in standard deviations: scale * code + start, modulo 2^32. */
typedef struct {
    uint32_t scale;
    uint32_t start;
} tinyflow_layer_norm_line;

/* channels^2 times the codes' variance, 16 fractional bits, and epsilon; 0 where all are equal. */
TINYFLOW_INLINE uint64_t tinyflow_layer_norm_variance(const tinyflow_layer_norm_s8 *layer,
                                                      int32_t sum, int32_t squares)
{
    const int64_t spread = (int64_t)layer->channels * squares - (int64_t)sum * sum;
    return spread > 0 ? ((uint64_t)spread << 16) + (uint64_t)layer->epsilon : 0;
}

/* For the variance `leading` * 4^half, 2^30 <= leading. */
TINYFLOW_INLINE tinyflow_layer_norm_line
tinyflow_layer_norm_scaled(const tinyflow_layer_norm_s8 *layer, uint32_t leading, int32_t half,
                           int32_t sum)
{
    const uint32_t root = tinyflow_inverse_root(leading);
    const uint32_t factor = (uint32_t)(((uint64_t)root * layer->factor) >> 30);
    const int32_t shift = tinyflow_min(layer->shift + half, 31);
    const int32_t mean = (int32_t)(((int64_t)sum * layer->reciprocal) >> layer->mean_shift);
    tinyflow_layer_norm_line line;
    line.scale = (factor + ((UINT32_C(1) << shift) >> 1)) >> shift;
    line.start = 0u - (uint32_t)(((int64_t)line.scale * mean) >> 23); /* the mean is in Q8.23 */
    return line;
}

/* From the codes' sum and the sum of their squares. */
TINYFLOW_INLINE tinyflow_layer_norm_line
tinyflow_layer_norm_fit(const tinyflow_layer_norm_s8 *layer, int32_t sum, int32_t squares)
{
    const tinyflow_layer_norm_line flat = {0, 0};
    uint64_t variance = tinyflow_layer_norm_variance(layer, sum, squares);
    if (variance == 0) {
        return flat;
    }
    int32_t half = 0;
    for (; variance >> 32 != 0; variance >>= 2) {
        ++half;
    }
    for (; variance >> 30 == 0; variance <<= 2) {
        --half;
    }
    return tinyflow_layer_norm_scaled(layer, (uint32_t)variance, half, sum);
}

/* A code on its line, as a signed number. */
TINYFLOW_INLINE int32_t tinyflow_layer_norm_on(tinyflow_layer_norm_line line, int32_t code)
{
    return (int32_t)(line.scale * (uint32_t)code + line.start);
}

TINYFLOW_INLINE void tinyflow_layer_norm_s8_pixel(const tinyflow_layer_norm_s8 *layer,
                                                  const int8_t *in, int8_t *out)
{
    int32_t sum = 0, squares = 0;
    for (int32_t c = 0; c < layer->channels; ++c) {
        sum += in[c];
        squares += in[c] * in[c];
    }
    tinyflow_layer_norm_line line = tinyflow_layer_norm_fit(layer, sum, squares);
    if (layer->gamma != NULL) {
        for (int32_t c = 0; c < layer->channels; ++c) {
            const int64_t product = (int64_t)tinyflow_layer_norm_on(line, in[c]) * layer->gamma[c];
            const int32_t code = ((int32_t)(product >> 32) + layer->beta[c]) >> layer->fraction;
            out[c] = (int8_t)tinyflow_clamp(code, INT8_MIN, INT8_MAX);
        }
    } else {
        line.start += (uint32_t)layer->start;
        for (int32_t c = 0; c < layer->channels; ++c) {
            const int32_t code = tinyflow_layer_norm_on(line, in[c]) >> layer->fraction;
            out[c] = (int8_t)tinyflow_clamp(code, INT8_MIN, INT8_MAX);
        }
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_layer_norm_s8_rows(const tinyflow_layer_norm_s8 *layer,
                                                 tinyflow_const_rows in, tinyflow_rows out,
                                                 int32_t y0, int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *in_row = tinyflow_const_row(in, y, layer->height);
        int8_t *out_row = tinyflow_row(out, y, layer->height);
        for (int32_t x = 0; x < layer->width; ++x) {
            tinyflow_layer_norm_s8_pixel(layer, in_row + x * layer->channels,
                                         out_row + x * layer->channels);
        }
    }
}

#endif
