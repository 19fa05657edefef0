/*
 * token_pairs.h - codes of tokens, widened to 16 bits and brought into the order of their channels.
 *
 * Two channels stand in one array, by pairs of tokens: two tokens of the first, then of the second
 * channel, as tinyflow_matmul_add takes them.
 */
#ifndef TINYFLOW_TOKEN_PAIRS_H
#define TINYFLOW_TOKEN_PAIRS_H

#include "dsp/dsp.h"

/* Where channel c begins, in arrays of `tokens` tokens, an even number. */
TINYFLOW_INLINE int16_t *tinyflow_token_pairs(int16_t *pairs, int32_t c, int32_t tokens)
{
    return pairs + (c & ~1) * tokens + 2 * (c & 1);
}

/* Sums of the squares of four channels. */
typedef struct {
    int32_t c0, c1, c2, c3;
} tinyflow_four_squares;

/* Two tokens of four channels, less the zero point, to their arrays; adds up their squares. */
TINYFLOW_INLINE void tinyflow_widen_token_pair(uint32_t first, uint32_t second,
                                               uint32_t minus_zero, int16_t *place,
                                               int32_t tokens, tinyflow_four_squares *squares)
{
    const uint32_t even_0 = tinyflow_add_even_bytes(minus_zero, first);
    const uint32_t even_1 = tinyflow_add_even_bytes(minus_zero, second);
    const uint32_t odd_0 = tinyflow_add_odd_bytes(minus_zero, first);
    const uint32_t odd_1 = tinyflow_add_odd_bytes(minus_zero, second);
    const uint32_t c0 = tinyflow_lower_halves(even_0, even_1);
    const uint32_t c1 = tinyflow_lower_halves(odd_0, odd_1);
    const uint32_t c2 = tinyflow_upper_halves(even_0, even_1);
    const uint32_t c3 = tinyflow_upper_halves(odd_0, odd_1);
    tinyflow_store_pair(place, c0);
    tinyflow_store_pair(place + 2, c1);
    tinyflow_store_pair(place + 2 * tokens, c2);
    tinyflow_store_pair(place + 2 * tokens + 2, c3);
    squares->c0 = tinyflow_two_products(c0, c0, squares->c0);
    squares->c1 = tinyflow_two_products(c1, c1, squares->c1);
    squares->c2 = tinyflow_two_products(c2, c2, squares->c2);
    squares->c3 = tinyflow_two_products(c3, c3, squares->c3);
}

/* `count` tokens, `step` bytes apart, of four channels. */
TINYFLOW_INLINE void tinyflow_widen_four_channels(const int8_t *codes, int32_t count, int32_t step,
                                                  int32_t zero, int16_t *place, int32_t tokens,
                                                  int32_t *squares)
{
    const uint32_t minus_zero = tinyflow_halves(-zero, -zero);
    tinyflow_four_squares sums = {squares[0], squares[1], squares[2], squares[3]};
    int32_t n = 0;
    for (; n + 2 <= count; n += 2) {
        tinyflow_widen_token_pair(tinyflow_load_word(codes), tinyflow_load_word(codes + step),
                                  minus_zero, place + 2 * n, tokens, &sums);
        codes += 2 * step;
    }
    if (n < count) {
        tinyflow_widen_token_pair(tinyflow_load_word(codes), tinyflow_four_times(zero), minus_zero,
                                  place + 2 * n, tokens, &sums);
    }
    squares[0] = sums.c0;
    squares[1] = sums.c1;
    squares[2] = sums.c2;
    squares[3] = sums.c3;
}

/* Of one channel. */
TINYFLOW_INLINE void tinyflow_widen_channel(const int8_t *codes, int32_t count, int32_t step,
                                            int32_t zero, int16_t *place, int32_t *square)
{
    for (int32_t n = 0; n < count; n += 2) {
        const int32_t second = n + 1 < count ? codes[(n + 1) * step] - zero : 0;
        const uint32_t pair = tinyflow_halves(codes[n * step] - zero, second);
        tinyflow_store_pair(place + 2 * n, pair);
        *square = tinyflow_two_products(pair, pair, *square);
    }
}

/* `count` tokens, `step` bytes apart, of `channels` codes, to arrays of `tokens`; adds the squares
 * of each channel to `squares`. A token behind an odd number of them is zero, and so is a
 * channel. */
TINYFLOW_INLINE void tinyflow_widen_tokens(const int8_t *codes, int32_t count, int32_t step,
                                           int32_t channels, int32_t zero, int16_t *pairs,
                                           int32_t tokens, int32_t *squares)
{
    int32_t c = 0;
    for (; c + 4 <= channels; c += 4) {
        tinyflow_widen_four_channels(codes + c, count, step, zero,
                                     tinyflow_token_pairs(pairs, c, tokens), tokens, squares + c);
    }
    for (; c < channels; ++c) {
        tinyflow_widen_channel(codes + c, count, step, zero,
                               tinyflow_token_pairs(pairs, c, tokens), squares + c);
    }
    if (channels & 1) {
        for (int32_t n = 0; n < count; n += 2) {
            tinyflow_store_pair(tinyflow_token_pairs(pairs, channels, tokens) + 2 * n, 0);
        }
    }
}

#endif
