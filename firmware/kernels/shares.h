/*
 * shares.h - softmax in base 2: from int32 scores to the 16-bit shares by which values are mixed.
 *
 * With d the distance of a score below the largest one of its row, its share is in proportion to
 * 2^-t, where t is d times a factor. Shares keep the upper half of these powers; what is cut off
 * one is added to the next, so that their sum is that of the powers. It stays below 2^23: rows of
 * more than 256 entries have `spare` bits less in each share.
 */
#ifndef TINYFLOW_SHARES_H
#define TINYFLOW_SHARES_H

#include "requantize.h"

/* A distance d is t = (min(d, limit) << left) * multiplier / 2^32 in units of 2^-24. */
typedef struct {
    uint32_t multiplier, limit;
    int32_t left;
} tinyflow_decay;

TINYFLOW_INLINE uint32_t tinyflow_decay_of(const tinyflow_decay *decay, uint32_t distance)
{
    const uint32_t near = distance < decay->limit ? distance : decay->limit;
    return (uint32_t)((uint64_t)(near << decay->left) * decay->multiplier >> 32);
}

/* 32767 * 2^16 * 2^-(i / 64); the lower half of an entry is the slope to the next one, divided by
 * 2^15. */
static const int32_t tinyflow_powers[64] = {
    2147417406, 2124283206, 2101411149, 2078735701, 2056387932, 2034236771, 2012282218, 1990655346,
    1969159545, 1947991424, 1927019911, 1906245005, 1885732244, 1865416091, 1845296545, 1825439144,
    1805778350, 1786314165, 1767046587, 1748041153, 1729166792, 1710554574, 1692138964, 1673919962,
    1655897568, 1638071782, 1620377067, 1602944497, 1585708535, 1568603644, 1551695362, 1534983687,
    1518468621, 1502084626, 1485897240, 1469906461, 1454046754, 1438383655, 1422917164, 1407581745,
    1392442934, 1377435195, 1362624064, 1347944005, 1333395018, 1319042638, 1304821331, 1290796632,
    1276837468, 1263140449, 1249508965, 1236074090, 1222704750, 1209532018, 1196555895, 1183645307,
    1170865791, 1158282883, 1145831047, 1133444747, 1121255055, 1109196435, 1097203351, 1085406875
};

/* 32767 * 2^16 * 2^-t for t in units of 2^-24, rounded down. */
TINYFLOW_INLINE uint32_t tinyflow_power_of_two(uint32_t t)
{
    const int32_t word = tinyflow_powers[t >> 18 & 63u];
    const int32_t power = word + (int16_t)(word & 0xffff) * (int32_t)(t >> 3 & 0x7fffu);
    return t >> 24 < 32u ? (uint32_t)power >> (t >> 24) : 0u;
}

/* Puts the shares of `count` scores in their place; their sum. */
TINYFLOW_INLINE uint32_t tinyflow_shares(int32_t *row, int32_t count, int32_t largest,
                                         const tinyflow_decay *decay, int32_t spare)
{
    const uint32_t start = (uint32_t)spare << 24;
    uint32_t carried = 1u << 15, sum = 0;
    for (int32_t i = 0; i < count; ++i) {
        const uint32_t t = tinyflow_decay_of(decay, (uint32_t)(largest - row[i])) + start;
        carried = (carried & 0xffffu) + tinyflow_power_of_two(t);
        row[i] = (int32_t)(carried >> 16);
        sum += carried >> 16;
    }
    return sum;
}

/* factor * 2^-shift */
typedef struct {
    int32_t factor, shift;
} tinyflow_mean;

/*
 * multiplier * 2^(shift - 31) / sum for 0 < sum < 2^23, with 25 bits of the reciprocal: long
 * division of 2^47 by the sum in [2^22, 2^23), eight bits at a time.
 */
TINYFLOW_INLINE tinyflow_mean tinyflow_mean_of(uint32_t sum, int32_t multiplier, int32_t shift)
{
    int32_t up = 0;
    while (!(sum << up >> 22)) {
        ++up;
    }
    const uint32_t divisor = sum << up;
    uint32_t reciprocal = (1u << 31) / divisor;
    uint32_t rest = (1u << 31) % divisor;
    for (int32_t i = 0; i < 2; ++i) {
        reciprocal = reciprocal << 8 | (rest << 8) / divisor;
        rest = (rest << 8) % divisor;
    }
    const tinyflow_mean mean = {
        .factor = (int32_t)((uint64_t)reciprocal * (uint32_t)multiplier >> 25),
        .shift = 53 - up - shift,
    };
    return mean;
}

/* The code of a sum of shares times values, rounded once, ties upward. */
TINYFLOW_INLINE int8_t tinyflow_mean_code(int32_t sum, tinyflow_mean mean, int32_t zero)
{
    const int64_t half = INT64_C(1) << (mean.shift - 1);
    const int64_t value = ((int64_t)sum * mean.factor + half) >> mean.shift;
    return tinyflow_output(tinyflow_saturate(value), zero, INT8_MIN, INT8_MAX);
}

#endif
