/*
 * pairs_s8.h - sums of products, two by one multiplication of 32 bits.
 *
 * With words a = a0 + 2^16 a1 and w = w1 + 2^16 w0, modulo 2^32,
 *
 *   a * w = 2^16 (a0 w0 + a1 w1) + a0 w1.
 *
 * Activations are -128 .. 127, weights -127 .. 127. So |a0 w1| < 2^15 and |a0 w0 + a1 w1| <= 32512
 * < 2^15: as a signed word the product is exact, its upper half is the sum of both products, less
 * one where a0 w1 is negative, and that is what bit 15 says. (A weight of -128 would reach 2^15.)
 */
#ifndef TINYFLOW_PAIRS_S8_H
#define TINYFLOW_PAIRS_S8_H

#include "tinyflow.h"

/* `pairs` words to each sum, one sum for each of `channels`. */
typedef struct {
    int32_t pairs, channels;
    int32_t lo, span; /* codes are lo .. lo + span */
    int32_t nudge;    /* of the first rounding, in 2^-16 of the product's upper word */
} tinyflow_pairs;

/* How the sum of one channel becomes a code: in the stream of weights. */
enum { TINYFLOW_PAIRS_REQUANT = 3 };

TINYFLOW_INLINE int32_t tinyflow_pair_word(int32_t a0, int32_t a1)
{
    return (int32_t)((uint32_t)a0 + ((uint32_t)a1 << 16));
}

TINYFLOW_INLINE int32_t tinyflow_pair_sum(int32_t sum, int32_t activations, int32_t weights)
{
    const uint32_t product = (uint32_t)activations * (uint32_t)weights;
    return (int32_t)((uint32_t)sum + (uint32_t)((int32_t)product >> 16) + (product >> 15 & 1u));
}

/*
 * `words` are a multiplier, a constant and a shift s - 33. With s = 31 - (the layer's shift) the
 * code is sum * multiplier / 2^s, rounded, and the zero point. Both roundings of the double kind
 * are one: they add 2^30 (the nudge) and 2^(s - 1), but 2^31 less where the sum is negative; of a
 * product that is split at 2^32 the constant holds 2^(s - 33) and the zero point, counted from lo.
 */
TINYFLOW_INLINE int8_t tinyflow_pairs_code(tinyflow_pairs shape, int32_t sum, const int32_t *words)
{
    const int64_t nudge = (int64_t)(sum < 0 ? -shape.nudge : shape.nudge) * 65536;
    const int32_t upper = (int32_t)(((int64_t)sum * words[0] + nudge) >> 32);
    const int32_t code = (upper + words[1]) >> words[2];
    return (int8_t)(shape.lo + (code < 0 ? 0 : code > shape.span ? shape.span : code));
}

/*
 * Four pixels, all channels. Activations: for each pair a word of every pixel. Weights: for each
 * channel its bias, its pairs, its requantization. Pixels of `out` are `step` bytes apart.
 */
TINYFLOW_INLINE void tinyflow_pairs_of_pixels(tinyflow_pairs shape, const int32_t *activations,
                                              const int32_t *weights, int8_t *out, int32_t step)
{
    for (int32_t c = 0; c < shape.channels; ++c) {
        const int32_t *requant = weights + 1 + shape.pairs;
        for (int32_t pixel = 0; pixel < 4; ++pixel) {
            int32_t sum = weights[0];
            for (int32_t i = 0; i < shape.pairs; ++i) {
                sum = tinyflow_pair_sum(sum, activations[4 * i + pixel], weights[1 + i]);
            }
            out[pixel * step + c] = tinyflow_pairs_code(shape, sum, requant);
        }
        weights = requant + TINYFLOW_PAIRS_REQUANT;
    }
}

/*
 * One pixel, all channels in fours: the last four are written whole. Activations: a word for each
 * pair. Weights: for each four channels their biases, for each pair a word of every channel, and
 * the requantizations.
 */
TINYFLOW_INLINE void tinyflow_pairs_of_channels(tinyflow_pairs shape, const int32_t *activations,
                                                const int32_t *weights, int8_t *out)
{
    for (int32_t c = 0; c < shape.channels; c += 4) {
        const int32_t *requant = weights + 4 + 4 * shape.pairs;
        for (int32_t k = 0; k < 4; ++k) {
            int32_t sum = weights[k];
            for (int32_t i = 0; i < shape.pairs; ++i) {
                sum = tinyflow_pair_sum(sum, activations[i], weights[4 + 4 * i + k]);
            }
            out[c + k] =
                tinyflow_pairs_code(shape, sum, requant + k * TINYFLOW_PAIRS_REQUANT);
        }
        weights = requant + 4 * TINYFLOW_PAIRS_REQUANT;
    }
}

/* `values` neighbouring codes as words, `step` words apart; an odd last one is paired with 0. */
TINYFLOW_INLINE int32_t *tinyflow_pair_codes(const int8_t *in, int32_t values, int32_t *words,
                                             int32_t step)
{
    for (int32_t i = 0; i + 1 < values; i += 2) {
        *words = tinyflow_pair_word(in[i], in[i + 1]);
        words += step;
    }
    if (values & 1) {
        *words = in[values - 1];
        words += step;
    }
    return words;
}

#endif
