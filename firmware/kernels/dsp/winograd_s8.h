/*
 * winograd_s8.h - CONV_2D three taps wide, stride 1, by Winograd's F(2,3) along x, exactly.
 *
 * Two neighbouring outputs of a row need four input columns d0..d3. In each of the kernel's rows
 *
 *   2 * y0 = p + q + (d0 - d2) * 2 w0        p = (d1 + d2) * (w0 + w1 + w2)
 *   2 * y1 = p - q - (d1 - d3) * 2 w2        q = (d2 - d1) * (w0 - w1 + w2)
 *
 * so that four products do the work of six. All numbers are integers, and sums wrap modulo 2^32:
 * what comes out is exactly twice the accumulator, or more, if the weights are scaled by a power
 * of two that the requantization wants.
 *
 * The image is computed strip by strip, two columns of outputs each. A strip's transformed inputs
 * lie in four planes, d1 + d2, d2 - d1, d0 - d2 and d1 - d3, [row][channel] each, so that the
 * window of an output is one run of every plane. The strip's d2 are the next one's d0: these are
 * kept beside the planes, and so the output may take the place of an input of the same shape, if
 * the whole image is computed in one band and pad_left is at most 1.
 */
#ifndef TINYFLOW_WINOGRAD_S8_H
#define TINYFLOW_WINOGRAD_S8_H

#include <string.h>

#include "dsp/products_s8.h"

#define TINYFLOW_WINOGRAD_PLANES 4

/* `rows` rows of a strip. `in` is d1 of the first row, d2 and d3 follow; the next row begins
 * `stride` bytes further. `kept` holds d0, [row][channel], and gets d2; `planes` are 16 bits,
 * channels 1 and 2 of each four exchanged. */
typedef void (*tinyflow_winograd_transform)(const int8_t *in, int8_t *kept, int16_t *planes,
                                            int32_t rows, int32_t stride);

/* Two rows of two pixels, all channels. `out0` and `out1` are the left pixels of both rows,
 * `planes` the first transformed row of the upper one's windows. */
typedef void (*tinyflow_winograd_tile)(int8_t *out0, int8_t *out1, const int16_t *planes,
                                       const int32_t *stream, const int32_t *end);

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, pad_top, pad_left;
    int32_t in_zero;
    int32_t band;  /* rows of outputs that a strip has room for, even */
    int32_t pitch; /* 16-bit values from one plane to the next */
    tinyflow_winograd_transform transform;
    tinyflow_winograd_tile tile;
    const int32_t *stream;
    int32_t words; /* of the stream */
} tinyflow_winograd_s8;

/* What a block of `tile` has as immediates: a window's run is `steps` times two values. */
typedef struct {
    int32_t steps, in_c, out_c, pitch;
    tinyflow_products_requant requant;
} tinyflow_winograd_shape;

/* Where the parts of the scratch memory lie. */
typedef struct {
    int16_t *planes;
    int8_t *kept;
    int8_t *gathered; /* d1..d3 of one row, where some are in the padding */
    int8_t *spare;    /* outputs that lie beyond the last row or column */
} tinyflow_winograd_memory;

/* The definition of the blocks that transform. */
TINYFLOW_INLINE void tinyflow_winograd_transform_s8(const int8_t *in, int8_t *kept,
                                                    int16_t *planes, int32_t rows, int32_t stride,
                                                    int32_t channels, int32_t pitch)
{
    static const int32_t place[4] = {0, 2, 1, 3};
    for (int32_t y = 0; y < rows; ++y, in += stride, kept += channels, planes += channels) {
        for (int32_t c = 0; c < channels; ++c) {
            const int32_t at = c / 4 * 4 + place[c % 4];
            const int32_t d0 = kept[c], d1 = in[c];
            const int32_t d2 = in[c + channels], d3 = in[c + 2 * channels];
            planes[at] = (int16_t)(d1 + d2);
            planes[at + pitch] = (int16_t)(d2 - d1);
            planes[at + 2 * pitch] = (int16_t)(d0 - d2);
            planes[at + 3 * pitch] = (int16_t)(d1 - d3);
            kept[c] = (int8_t)d2;
        }
    }
}

/* Adds the products of one plane to the sums of four channels, upper row first; the stream after
 * them. */
TINYFLOW_INLINE const int32_t *tinyflow_winograd_pass(const tinyflow_winograd_shape *shape,
                                                      uint32_t sums[8], const int16_t *plane,
                                                      const int32_t *stream)
{
    for (int32_t step = 0; step < shape->steps; ++step, plane += 2) {
        for (int32_t c = 0; c < 4; ++c) {
            const int32_t w = *stream++;
            for (int32_t row = 0; row < 2; ++row) {
                sums[4 * row + c] =
                    tinyflow_smlad(sums[4 * row + c], tinyflow_low_bits(w, 16), w >> 16,
                                   plane + row * shape->in_c);
            }
        }
    }
    return stream;
}

/* Stores the codes of one column, four channels of both rows; the stream after the words that
 * requantize them. */
TINYFLOW_INLINE const int32_t *tinyflow_winograd_codes(const tinyflow_winograd_shape *shape,
                                                       const uint32_t sums[8], int8_t *out0,
                                                       int8_t *out1, const int32_t *stream)
{
    for (int32_t c = 0; c < 4; ++c, stream += shape->requant.words) {
        out0[c] = tinyflow_products_code(&shape->requant, (int32_t)sums[c], stream);
        out1[c] = tinyflow_products_code(&shape->requant, (int32_t)sums[4 + c], stream);
    }
    return stream;
}

/*
 * The definition of the blocks that compute a tile. For each group of four channels the stream
 * holds their biases, scaled as the sums; the weights of p, of q and of d0 - d2; the words that
 * requantize; the weights of d1 - d3; these words again. Weights are two a word, as the planes.
 */
TINYFLOW_INLINE void tinyflow_winograd_tile_s8(tinyflow_winograd_shape shape, int8_t *out0,
                                               int8_t *out1, const int16_t *planes,
                                               const int32_t *stream, const int32_t *end)
{
    for (; stream < end; out0 += 4, out1 += 4) {
        uint32_t sums[8], other[8];
        for (int32_t i = 0; i < 8; ++i) {
            sums[i] = (uint32_t)stream[i % 4];
        }
        stream = tinyflow_winograd_pass(&shape, sums, planes, stream + 4);
        memcpy(other, sums, sizeof other);
        stream = tinyflow_winograd_pass(&shape, sums, planes + shape.pitch, stream);
        for (int32_t i = 0; i < 8; ++i) {
            other[i] = 2 * other[i] - sums[i]; /* bias + p - q out of bias + p */
        }
        stream = tinyflow_winograd_pass(&shape, sums, planes + 2 * shape.pitch, stream);
        stream = tinyflow_winograd_codes(&shape, sums, out0, out1, stream);
        stream = tinyflow_winograd_pass(&shape, other, planes + 3 * shape.pitch, stream);
        stream = tinyflow_winograd_codes(&shape, other, out0 + shape.out_c, out1 + shape.out_c,
                                         stream);
    }
}

/* Sets the rows [begin, end) of the planes to what padding becomes. */
TINYFLOW_INLINE void tinyflow_winograd_pad_rows(const tinyflow_winograd_s8 *layer, int16_t *planes,
                                                int32_t begin, int32_t end)
{
    for (int32_t plane = 0; plane < TINYFLOW_WINOGRAD_PLANES; ++plane) {
        const int32_t value = plane == 0 ? 2 * layer->in_zero : 0;
        for (int32_t i = begin * layer->in_c; i < end * layer->in_c; ++i) {
            planes[plane * layer->pitch + i] = (int16_t)value;
        }
    }
}

/* Pixel x of an input row, which may lie in the padding. */
TINYFLOW_INLINE void tinyflow_winograd_pixel(const tinyflow_winograd_s8 *layer, int8_t *pixel,
                                             const int8_t *row, int32_t x)
{
    if (x >= 0 && x < layer->in_w) {
        memcpy(pixel, row + x * layer->in_c, (size_t)layer->in_c);
    } else {
        memset(pixel, layer->in_zero, (size_t)layer->in_c);
    }
}

/* Transforms rows [begin, end) of a strip whose row 0 is input row `top`; d1 is column `x`. */
TINYFLOW_INLINE void tinyflow_winograd_strip(const tinyflow_winograd_s8 *layer,
                                             tinyflow_const_rows in,
                                             const tinyflow_winograd_memory *memory, int32_t top,
                                             int32_t begin, int32_t end, int32_t x)
{
    const int inside = x >= 0 && x + 2 < layer->in_w;
    /* Rows that lie side by side are transformed by one call. */
    const int32_t rows = inside && in.ring >= layer->in_h ? end - begin : 1;
    for (int32_t y = begin; y < end; y += rows) {
        const int8_t *row = tinyflow_const_row(in, top + y, layer->in_h);
        for (int32_t i = 0; i < 3 && !inside; ++i) {
            tinyflow_winograd_pixel(layer, memory->gathered + i * layer->in_c, row, x + i);
        }
        layer->transform(inside ? row + x * layer->in_c : memory->gathered,
                         memory->kept + y * layer->in_c, memory->planes + y * layer->in_c, rows,
                         in.stride);
    }
}

/* The tile at rows y and y + 1, columns x and x + 1; y + 1 may be `end` and x + 1 out_w. */
TINYFLOW_INLINE void tinyflow_winograd_tile_at(const tinyflow_winograd_s8 *layer, tinyflow_rows out,
                                               const tinyflow_winograd_memory *memory,
                                               const int16_t *planes, int32_t y, int32_t end,
                                               int32_t x)
{
    const int32_t pixel = layer->out_c;
    int8_t *out0 = tinyflow_row(out, y, layer->out_h) + x * pixel;
    int8_t *out1 = memory->spare;
    if (y + 1 < end) {
        out1 = tinyflow_row(out, y + 1, layer->out_h) + x * pixel;
    }
    if (x + 1 < layer->out_w) {
        layer->tile(out0, out1, planes, layer->stream, layer->stream + layer->words);
        return;
    }
    int8_t *spare = memory->spare;
    layer->tile(spare, spare + 2 * pixel, planes, layer->stream, layer->stream + layer->words);
    memcpy(out0, spare, (size_t)pixel);
    if (y + 1 < end) {
        memcpy(out1, spare + 2 * pixel, (size_t)pixel);
    }
}

/* Output rows [y0, y1), at most `band`. */
TINYFLOW_INLINE void tinyflow_winograd_band(const tinyflow_winograd_s8 *layer,
                                            tinyflow_const_rows in, tinyflow_rows out,
                                            const tinyflow_winograd_memory *memory, int32_t y0,
                                            int32_t y1)
{
    const int32_t height = (y1 - y0 + 1) / 2 * 2 + layer->kernel_h - 1;
    const int32_t top = y0 - layer->pad_top;
    const int32_t begin = top < 0 ? (-top < height ? -top : height) : 0;
    const int32_t last = layer->in_h - top < height ? layer->in_h - top : height;
    const int32_t end = last > begin ? last : begin;

    tinyflow_winograd_pad_rows(layer, memory->planes, 0, begin);
    tinyflow_winograd_pad_rows(layer, memory->planes, end, height);
    for (int32_t y = begin; y < end; ++y) {
        tinyflow_winograd_pixel(layer, memory->kept + y * layer->in_c,
                                tinyflow_const_row(in, top + y, layer->in_h), -layer->pad_left);
    }
    for (int32_t x = 0; x < layer->out_w; x += 2) {
        tinyflow_winograd_strip(layer, in, memory, top, begin, end, x + 1 - layer->pad_left);
        for (int32_t y = y0; y < y1; y += 2) {
            tinyflow_winograd_tile_at(layer, out, memory,
                                      memory->planes + (y - y0) * layer->in_c, y, y1, x);
        }
    }
}

/* Output rows [y0, y1). One function for all layers: the blocks take the time. */
static TINYFLOW_NOINLINE void tinyflow_winograd_bands(const tinyflow_winograd_s8 *layer,
                                                      tinyflow_const_rows in, tinyflow_rows out,
                                                      void *scratch, int32_t y0, int32_t y1)
{
    const int32_t height = layer->band + layer->kernel_h - 1;
    tinyflow_winograd_memory memory;
    memory.planes = (int16_t *)scratch;
    memory.kept = (int8_t *)(memory.planes + TINYFLOW_WINOGRAD_PLANES * layer->pitch);
    memory.gathered = memory.kept + height * layer->in_c;
    memory.spare = memory.gathered + 3 * layer->in_c;
    for (int32_t y = y0; y < y1; y += layer->band) {
        tinyflow_winograd_band(layer, in, out, &memory, y,
                               y + layer->band < y1 ? y + layer->band : y1);
    }
}

TINYFLOW_INLINE void tinyflow_winograd_s8_rows(const tinyflow_winograd_s8 *layer,
                                               tinyflow_const_rows in, tinyflow_rows out,
                                               void *scratch, int32_t y0, int32_t y1)
{
    tinyflow_winograd_bands(layer, in, out, scratch, y0, y1);
}

#endif
