/*
 * layer_norm_words_s8.h - LAYER_NORM, codes taken from words, bit for bit as in layer_norm_s8.h.
 *
 * The sums take two products an instruction; an element of the result takes one multiplication
 * and one saturation. The output may take the place of the input.
 */
#ifndef TINYFLOW_LAYER_NORM_WORDS_S8_H
#define TINYFLOW_LAYER_NORM_WORDS_S8_H

#include "dsp/dsp.h"
#include "dsp/requant_dsp.h"
#include "layer_norm_s8.h"

typedef tinyflow_layer_norm_s8 tinyflow_layer_norm_words_s8;

typedef struct {
    int32_t of_codes;
    int32_t of_squares;
} tinyflow_layer_norm_sums;

TINYFLOW_INLINE void tinyflow_layer_norm_add_word(tinyflow_layer_norm_sums *sums, uint32_t word)
{
    const uint32_t ones = UINT32_C(0x00010001);
    const uint32_t even = tinyflow_add_even_bytes(0, word);
    const uint32_t odd = tinyflow_add_odd_bytes(0, word);
    sums->of_squares = tinyflow_two_products(even, even, sums->of_squares);
    sums->of_codes = tinyflow_two_products(even, ones, sums->of_codes);
    sums->of_squares = tinyflow_two_products(odd, odd, sums->of_squares);
    sums->of_codes = tinyflow_two_products(odd, ones, sums->of_codes);
}

TINYFLOW_INLINE tinyflow_layer_norm_sums tinyflow_layer_norm_add_up(const int8_t *codes,
                                                                    int32_t count)
{
    tinyflow_layer_norm_sums sums = {0, 0};
    const int8_t *const whole = codes + tinyflow_unknown(count & ~7);
    while (codes != whole) {
        const uint32_t first = tinyflow_load_word(codes);
        const uint32_t second = tinyflow_load_word(codes + 4);
        codes += 8;
        tinyflow_layer_norm_add_word(&sums, first);
        tinyflow_layer_norm_add_word(&sums, second);
    }
    for (int32_t i = 0; i < (count & 7); ++i) {
        sums.of_codes += codes[i];
        sums.of_squares += codes[i] * codes[i];
    }
    return sums;
}

/* As tinyflow_layer_norm_fit. */
TINYFLOW_INLINE tinyflow_layer_norm_line
tinyflow_layer_norm_words_fit(const tinyflow_layer_norm_s8 *layer, tinyflow_layer_norm_sums sums)
{
    const tinyflow_layer_norm_line flat = {0, 0};
    const uint64_t variance =
        tinyflow_layer_norm_variance(layer, sums.of_codes, sums.of_squares);
    const uint32_t upper = (uint32_t)(variance >> 32), lower = (uint32_t)variance;
    if (upper != 0) {
        const int32_t half = (33 - tinyflow_leading_zeros(upper)) >> 1;
        const uint32_t leading = upper << (32 - 2 * half) | lower >> (2 * half);
        return tinyflow_layer_norm_scaled(layer, leading, half, sums.of_codes);
    }
    if (lower != 0) {
        const int32_t half = tinyflow_leading_zeros(lower) >> 1;
        return tinyflow_layer_norm_scaled(layer, lower << (2 * half), -half, sums.of_codes);
    }
    return flat;
}

/* The codes of a pixel on one line for all channels. */
TINYFLOW_INLINE void tinyflow_layer_norm_words_plain(const tinyflow_layer_norm_s8 *layer,
                                                     tinyflow_layer_norm_line line,
                                                     const int8_t *in, int8_t *out)
{
    const int8_t *const whole = in + tinyflow_unknown(layer->channels & ~7);
    line.start += (uint32_t)layer->start;
    while (in != whole) {
        const uint32_t words[2] = {tinyflow_load_word(in), tinyflow_load_word(in + 4)};
        for (int32_t i = 0; i < 8; ++i) {
            const int32_t code = tinyflow_signed_byte(words[i >> 2], i & 3);
            const int32_t sum = tinyflow_layer_norm_on(line, code);
            out[i] = (int8_t)tinyflow_signed_byte_within(sum >> layer->fraction);
        }
        in += 8;
        out += 8;
    }
    for (int32_t i = 0; i < (layer->channels & 7); ++i) {
        const int32_t sum = tinyflow_layer_norm_on(line, in[i]);
        out[i] = (int8_t)tinyflow_signed_byte_within(sum >> layer->fraction);
    }
}

/* The same where channels have parameters of their own. */
TINYFLOW_INLINE void tinyflow_layer_norm_words_affine(const tinyflow_layer_norm_s8 *layer,
                                                      tinyflow_layer_norm_line line,
                                                      const int8_t *in, int8_t *out)
{
    const int8_t *const whole = in + tinyflow_unknown(layer->channels & ~3);
    const int32_t *gamma = layer->gamma, *beta = layer->beta;
    while (in != whole) {
        const uint32_t word = tinyflow_load_word(in);
        for (int32_t i = 0; i < 4; ++i) {
            const int32_t value = tinyflow_layer_norm_on(line, tinyflow_signed_byte(word, i));
            const int32_t sum = tinyflow_smmla(value, gamma[i], beta[i]);
            out[i] = (int8_t)tinyflow_signed_byte_within(sum >> layer->fraction);
        }
        in += 4;
        out += 4;
        gamma += 4;
        beta += 4;
    }
    for (int32_t i = 0; i < (layer->channels & 3); ++i) {
        const int32_t sum = tinyflow_smmla(tinyflow_layer_norm_on(line, in[i]), gamma[i], beta[i]);
        out[i] = (int8_t)tinyflow_signed_byte_within(sum >> layer->fraction);
    }
}

TINYFLOW_INLINE void tinyflow_layer_norm_words_pixel(const tinyflow_layer_norm_s8 *layer,
                                                     const int8_t *in, int8_t *out)
{
    const tinyflow_layer_norm_line line =
        tinyflow_layer_norm_words_fit(layer, tinyflow_layer_norm_add_up(in, layer->channels));
    if (layer->gamma != NULL) {
        tinyflow_layer_norm_words_affine(layer, line, in, out);
    } else {
        tinyflow_layer_norm_words_plain(layer, line, in, out);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_layer_norm_words_s8_rows(const tinyflow_layer_norm_words_s8 *layer,
                                                       tinyflow_const_rows in, tinyflow_rows out,
                                                       int32_t y0, int32_t y1)
{
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *in_row = tinyflow_const_row(in, y, layer->height);
        int8_t *out_row = tinyflow_row(out, y, layer->height);
        for (int32_t x = 0; x < layer->width; ++x) {
            tinyflow_layer_norm_words_pixel(layer, in_row + x * layer->channels,
                                            out_row + x * layer->channels);
        }
    }
}

#endif
