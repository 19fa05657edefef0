/*
 * products_s8.h - pixels by a matrix, two output channels in each half-word of the weights.
 *
 *   out[o] = requant(bias[o] + sum over runs and k of run[k] * weights[o][k])
 *
 * A pair of channels is one number, h = 256 * odd + even. The sum of a * h is 256 times the odd
 * channel's sum plus the even one's; the lower bytes of the same words, sign-extended, give the
 * latter alone. So one SXTB16 serves four weights, and flash holds a byte for each. What is left
 * for the odd channel, 256 times its sum, is exact modulo 2^32.
 *
 * The stream holds, for each group of four channels: where both sums of both pairs begin; for
 * every two activations a word of each pair; the words that requantize each channel.
 *
 * An odd channel's sum that may need more than 24 bits is carried: taken out of its pair after
 * every run, which is then short enough. It begins with the pair's first word.
 */
#ifndef TINYFLOW_PRODUCTS_S8_H
#define TINYFLOW_PRODUCTS_S8_H

#include "dsp/requant_dsp.h"

#define TINYFLOW_MOST_RUNS 32

/* `count` times one or two pixels, `pixel_step` activations apart. `runs` point at the first
 * one's; `out` gets all channels of each pixel, and the next one's begin `out_step` codes further. */
typedef void (*tinyflow_products_block)(const int16_t *const *runs, const int32_t *weights,
                                        int8_t *out, int32_t count);

/* How sums, times 256 unless they are carried, become codes. A channel reads `words` words: its multiplier, then in the
 * short form the constant if it is not `common`, then the mirrored constant if there is one; in
 * the generic one the right shift, then the left shift if it is not `common`. */
typedef struct {
    int32_t is_short;
    int32_t words;
    int32_t is_common;
    int32_t common;
    tinyflow_short_requant brief;
    tinyflow_generic_requant generic;
} tinyflow_products_requant;

/* Pixels in groups of four channels; a run has `steps` times two activations. */
typedef struct {
    int32_t runs;
    int32_t steps;
    int32_t pixel_step;
    int32_t out_c;
    int32_t out_step;
    int32_t carries;
    tinyflow_products_requant requant;
} tinyflow_products;

TINYFLOW_INLINE int8_t tinyflow_products_code(const tinyflow_products_requant *how, int32_t acc,
                                              const int32_t *words)
{
    const int32_t own = how->is_common ? how->common : words[how->words - 1];
    if (!how->is_short) {
        return (int8_t)tinyflow_requant_generic(acc, words[0], own, words[1], &how->generic);
    }
    const int32_t mirror = how->brief.sign == TINYFLOW_SIGN_MIRROR ? words[1] : 0;
    return (int8_t)tinyflow_requant_short(acc, words[0], own, mirror, &how->brief);
}

/* SMLAD: both halves of a word by both activations. */
TINYFLOW_INLINE uint32_t tinyflow_smlad(uint32_t sum, int32_t low, int32_t high, const int16_t *a)
{
    return sum + (uint32_t)(low * a[0]) + (uint32_t)(high * a[1]);
}

/* The lowest `bits` bits as a signed number. */
TINYFLOW_INLINE int32_t tinyflow_low_bits(int32_t word, int32_t bits)
{
    return (int32_t)((uint32_t)word << (32 - bits)) >> (32 - bits);
}

/* The sum of channel `c` of a group, as it is requantized. */
TINYFLOW_INLINE uint32_t tinyflow_products_sum(const tinyflow_products *shape,
                                               const uint32_t *sums, const uint32_t *carried,
                                               int32_t c)
{
    const uint32_t upper = sums[c / 2 * 2], lower = sums[c / 2 * 2 + 1];
    if (shape->carries) {
        return c % 2 ? carried[c / 2] : lower;
    }
    return c % 2 ? upper - lower : lower << 8;
}

/* The definition of the blocks. */
TINYFLOW_INLINE void tinyflow_products_s8(tinyflow_products shape, const int16_t *const *runs,
                                          const int32_t *weights, int8_t *out, int32_t pixels)
{
    for (int32_t pixel = 0; pixel < pixels; ++pixel) {
        const int32_t *w = weights;
        for (int32_t o = 0; o < shape.out_c; o += 4) {
            uint32_t sums[4] = {(uint32_t)w[0], (uint32_t)w[1], (uint32_t)w[2], (uint32_t)w[3]};
            uint32_t carried[2] = {sums[0], sums[2]};
            if (shape.carries) {
                sums[0] = sums[1];
                sums[2] = sums[3];
            }
            w += 4;
            for (int32_t run = 0; run < shape.runs; ++run) {
                const int16_t *a = runs[run] + pixel * shape.pixel_step;
                for (int32_t step = 0; step < shape.steps; ++step, a += 2) {
                    for (int32_t pair = 0; pair < 2; ++pair) {
                        const int32_t h = *w++;
                        sums[2 * pair] =
                            tinyflow_smlad(sums[2 * pair], tinyflow_low_bits(h, 16), h >> 16, a);
                        sums[2 * pair + 1] =
                            tinyflow_smlad(sums[2 * pair + 1], tinyflow_low_bits(h, 8),
                                           tinyflow_low_bits(h >> 16, 8), a);
                    }
                }
                for (int32_t pair = 0; shape.carries && pair < 2; ++pair) {
                    const int32_t odd = (int32_t)(sums[2 * pair] - sums[2 * pair + 1]);
                    carried[pair] += (uint32_t)(odd >> 8);
                    sums[2 * pair] = sums[2 * pair + 1];
                }
            }
            for (int32_t c = 0; c < 4 && o + c < shape.out_c; ++c) {
                const int32_t sum = (int32_t)tinyflow_products_sum(&shape, sums, carried, c);
                out[pixel * shape.out_step + o + c] =
                    tinyflow_products_code(&shape.requant, sum, w + c * shape.requant.words);
            }
            w += 4 * shape.requant.words;
        }
    }
}

/* What the kernels know of a layer's blocks: `pairs` computes two pixels at a time. */
typedef struct {
    tinyflow_products_block pairs;
    tinyflow_products_block single;
    const int32_t *weights;
    int32_t rows; /* of a window, each of `parts` runs of `part` activations */
    int32_t parts;
    int32_t part;
    int32_t pixel_step;
    int32_t out_step;    /* codes from pixel to pixel */
    int32_t group_words; /* of weights, where there are several groups of channels */
} tinyflow_product_blocks;

/* `pixels` neighbours; `rows` point at the rows of the first one's window. */
TINYFLOW_INLINE void tinyflow_products_of_pixels(const tinyflow_product_blocks *blocks,
                                                 const int16_t *const *rows, int8_t *out,
                                                 int32_t pixels)
{
    const int16_t *runs[TINYFLOW_MOST_RUNS];
    for (int32_t run = 0; run < blocks->rows * blocks->parts; ++run) {
        runs[run] = rows[run / blocks->parts] + run % blocks->parts * blocks->part;
    }
    const int32_t paired = blocks->pairs != NULL ? pixels / 2 * 2 : 0;
    if (paired > 0) {
        blocks->pairs(runs, blocks->weights, out, paired / 2);
    }
    if (paired < pixels) {
        for (int32_t run = 0; run < blocks->rows * blocks->parts; ++run) {
            runs[run] += paired * blocks->pixel_step;
        }
        blocks->single(runs, blocks->weights, out + paired * blocks->out_step, pixels - paired);
    }
}

#endif
