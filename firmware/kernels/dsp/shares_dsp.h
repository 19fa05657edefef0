/*
 * shares_dsp.h - the shares of a row of scores, bit for bit as in shares.h, into wide vectors.
 */
#ifndef TINYFLOW_SHARES_DSP_H
#define TINYFLOW_SHARES_DSP_H

#include "dsp/mixed_dot.h"
#include "dsp/requant_dsp.h"
#include "shares.h"

/* What shares are cut from: see tinyflow_shares. */
TINYFLOW_INLINE uint32_t tinyflow_carried_share(uint32_t carried, int32_t below,
                                                const tinyflow_decay *decay, uint32_t start)
{
    const uint32_t t = tinyflow_decay_of(decay, (uint32_t)below) + start;
    const uint32_t word = (uint32_t)tinyflow_powers[t >> 18 & 63u];
    const uint32_t power = (uint32_t)tinyflow_lower_product(word, t >> 3 & 0x7fffu, (int32_t)word);
    return (carried & 0xffffu) + tinyflow_shift_right(power, t >> 24);
}

/*
 * The shares of `count` scores, two apart, to one wide vector; their sum. The scores behind the
 * last one, up to a whole group, may be anything: their shares are zero.
 */
TINYFLOW_INLINE uint32_t tinyflow_wide_shares(const int32_t *scores, int32_t count,
                                              int32_t largest, const tinyflow_decay *decay,
                                              int32_t spare, int16_t *place)
{
    const uint32_t start = (uint32_t)spare << 24;
    uint32_t carried = 1u << 15, sum = 0;
    for (; count > 0; count -= 4) {
        const uint32_t c0 = tinyflow_carried_share(carried, largest - scores[0], decay, start);
        uint32_t c1 = 0, c2 = 0, c3 = 0;
        if (count >= 4) {
            c1 = tinyflow_carried_share(c0, largest - scores[2], decay, start);
            c2 = tinyflow_carried_share(c1, largest - scores[4], decay, start);
            c3 = tinyflow_carried_share(c2, largest - scores[6], decay, start);
        } else if (count >= 2) {
            c1 = tinyflow_carried_share(c0, largest - scores[2], decay, start);
            c2 = count == 3 ? tinyflow_carried_share(c1, largest - scores[4], decay, start) : 0u;
        }
        sum += (c0 >> 16) + (c1 >> 16) + (c2 >> 16) + (c3 >> 16);
        tinyflow_store_pair(place, tinyflow_upper_halves(c0, c2));
        tinyflow_store_pair(place + 2, tinyflow_upper_halves(c1, c3));
        carried = c3;
        scores += 8;
        place += TINYFLOW_MIXED_GROUP;
    }
    return sum;
}

/* How the sums of a row of shares become codes: (sum * factor / 2^32 + half) >> shift. */
typedef struct {
    int32_t start; /* of a sum: it takes the zero point of the values away */
    int32_t factor, half, shift;
} tinyflow_row_of_shares;

/* For shifts of the mean above 32. */
TINYFLOW_INLINE tinyflow_row_of_shares tinyflow_row_with_sum(uint32_t sum, int32_t multiplier,
                                                             int32_t shift, int32_t value_zero)
{
    const tinyflow_mean mean = tinyflow_mean_of(sum, multiplier, shift);
    const tinyflow_row_of_shares row = {
        .start = -value_zero * (int32_t)sum,
        .factor = mean.factor,
        .half = (int32_t)(1u << (mean.shift - 33)),
        .shift = mean.shift - 32,
    };
    return row;
}

/* As tinyflow_mean_code. */
TINYFLOW_INLINE int8_t tinyflow_row_code(int32_t sum, const tinyflow_row_of_shares *row,
                                         int32_t zero)
{
    const int32_t value = tinyflow_smmla(sum, row->factor, row->half) >> row->shift;
    return (int8_t)tinyflow_signed_byte_within(value + zero);
}

#endif
