/*
 * transposed_codes.h - codes of tokens, brought into the order of their channels.
 */
#ifndef TINYFLOW_TRANSPOSED_CODES_H
#define TINYFLOW_TRANSPOSED_CODES_H

#include "dsp/dsp.h"

/* Four channels of four tokens; channel c to `out` + c * out_step. */
TINYFLOW_INLINE void tinyflow_transpose_block(uint32_t token_0, uint32_t token_1, uint32_t token_2,
                                              uint32_t token_3, int8_t *out, int32_t out_step)
{
    const uint32_t even = UINT32_C(0x00ff00ff), odd = UINT32_C(0xff00ff00);
    const uint32_t even_01 = (token_0 & even) | (token_1 & even) << 8;
    const uint32_t even_23 = (token_2 & even) | (token_3 & even) << 8;
    const uint32_t odd_01 = (token_0 >> 8 & even) | (token_1 & odd);
    const uint32_t odd_23 = (token_2 >> 8 & even) | (token_3 & odd);
    tinyflow_store_word(out, tinyflow_lower_halves(even_01, even_23));
    tinyflow_store_word(out + out_step, tinyflow_lower_halves(odd_01, odd_23));
    tinyflow_store_word(out + 2 * out_step, tinyflow_upper_halves(even_01, even_23));
    tinyflow_store_word(out + 3 * out_step, tinyflow_upper_halves(odd_01, odd_23));
}

/*
 * `tokens` tokens, `step` bytes apart, of `channels` codes: channel c begins at out +
 * c * out_step, which is at least `tokens`, rounded up to a multiple of four. Behind the last
 * token a channel holds that one again.
 */
TINYFLOW_INLINE void tinyflow_transpose_codes(const int8_t *codes, int32_t tokens, int32_t step,
                                              int32_t channels, int8_t *out, int32_t out_step)
{
    for (int32_t n = 0; n < tokens; n += 4) {
        const int8_t *token[4];
        for (int32_t i = 0; i < 4; ++i) {
            token[i] = codes + (n + i < tokens ? n + i : tokens - 1) * step;
        }
        int32_t c = 0;
        for (; c + 4 <= channels; c += 4) {
            tinyflow_transpose_block(tinyflow_load_word(token[0] + c),
                                     tinyflow_load_word(token[1] + c),
                                     tinyflow_load_word(token[2] + c),
                                     tinyflow_load_word(token[3] + c), out + c * out_step + n,
                                     out_step);
        }
        for (; c < channels; ++c) {
            tinyflow_store_word(out + c * out_step + n,
                                tinyflow_word_of(token[0][c], token[1][c], token[2][c],
                                                 token[3][c]));
        }
    }
}

#endif
