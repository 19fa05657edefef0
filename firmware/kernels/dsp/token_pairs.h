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

/* Two tokens of four channels, less the zero point, to token n of their arrays. */
TINYFLOW_INLINE void tinyflow_widen_token_pair(uint32_t first, uint32_t second,
                                               uint32_t minus_zero, int16_t *place,
                                               int32_t tokens)
{
    const uint32_t even_0 = tinyflow_add_even_bytes(minus_zero, first);
    const uint32_t even_1 = tinyflow_add_even_bytes(minus_zero, second);
    const uint32_t odd_0 = tinyflow_add_odd_bytes(minus_zero, first);
    const uint32_t odd_1 = tinyflow_add_odd_bytes(minus_zero, second);
    tinyflow_store_pair(place, (even_0 & 0xffffu) | even_1 << 16);
    tinyflow_store_pair(place + 2, (odd_0 & 0xffffu) | odd_1 << 16);
    tinyflow_store_pair(place + 2 * tokens, even_0 >> 16 | (even_1 & 0xffff0000u));
    tinyflow_store_pair(place + 2 * tokens + 2, odd_0 >> 16 | (odd_1 & 0xffff0000u));
}

/* `count` tokens, `step` bytes apart, of `channels` codes, to arrays of `tokens`. A token behind
 * an odd number of them is zero, and so is a channel. */
TINYFLOW_INLINE void tinyflow_widen_tokens(const int8_t *codes, int32_t count, int32_t step,
                                           int32_t channels, int32_t zero, int16_t *pairs,
                                           int32_t tokens)
{
    const uint32_t minus_zero = tinyflow_halves(-zero, -zero);
    const uint32_t zeros = tinyflow_four_times(zero);
    for (int32_t n = 0; n < count; n += 2) {
        const int8_t *first = codes + n * step, *second = first + step;
        const int is_pair = n + 1 < count;
        int32_t c = 0;
        for (; c + 4 <= channels; c += 4) {
            tinyflow_widen_token_pair(tinyflow_load_word(first + c),
                                      is_pair ? tinyflow_load_word(second + c) : zeros, minus_zero,
                                      pairs + c * tokens + 2 * n, tokens);
        }
        for (; c < channels; ++c) {
            tinyflow_store_pair(
                tinyflow_token_pairs(pairs, c, tokens) + 2 * n,
                tinyflow_halves(first[c] - zero, is_pair ? second[c] - zero : 0));
        }
        if (channels & 1) {
            tinyflow_store_pair(tinyflow_token_pairs(pairs, channels, tokens) + 2 * n, 0);
        }
    }
}

/* The sum of the squares of `count` tokens of a channel. */
TINYFLOW_INLINE int32_t tinyflow_squares_of_tokens(const int16_t *channel, int32_t count)
{
    int32_t sum = 0;
    for (int32_t n = 0; n < count; n += 2) {
        const uint32_t pair = tinyflow_load_pair(channel + 2 * n);
        sum = tinyflow_two_products(pair, pair, sum);
    }
    return sum;
}

#endif
