/*
 * requantize.h - from int32 sums to int8 codes.
 *
 * A real factor is stored as multiplier * 2^(shift - 31); a positive shift goes left.
 * Two roundings, as in TensorFlow Lite Micro: the high product, then the shift. With
 * TINYFLOW_SINGLE_ROUNDING there is one.
 */
#ifndef TINYFLOW_REQUANTIZE_H
#define TINYFLOW_REQUANTIZE_H

#include "tinyflow.h"

TINYFLOW_INLINE int32_t tinyflow_min(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

TINYFLOW_INLINE int32_t tinyflow_max(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

TINYFLOW_INLINE int32_t tinyflow_clamp(int32_t value, int32_t lo, int32_t hi)
{
    return tinyflow_min(tinyflow_max(value, lo), hi);
}

TINYFLOW_INLINE int32_t tinyflow_saturate(int64_t value)
{
    return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

/* x / 2^exponent, rounded to nearest, ties away from zero; 0 <= exponent <= 31. */
TINYFLOW_INLINE int32_t tinyflow_rounding_shift(int32_t x, int32_t exponent)
{
    const int32_t mask = (int32_t)((UINT32_C(1) << exponent) - 1u);
    const int32_t threshold = (mask >> 1) + (x < 0);
    return (x >> exponent) + ((x & mask) > threshold);
}

/* x * multiplier * 2^(shift - 31), saturated to int32; -31 <= shift <= 30. */
TINYFLOW_INLINE int32_t tinyflow_requantize(int32_t x, int32_t multiplier, int32_t shift)
{
    const int64_t product = (int64_t)x * multiplier;
#ifdef TINYFLOW_SINGLE_ROUNDING
    const int32_t total = 31 - shift;
    return tinyflow_saturate((product + (INT64_C(1) << (total - 1))) >> total);
#else
    if (shift > 0) {
        return tinyflow_saturate((product + (INT64_C(1) << (30 - shift))) >> (31 - shift));
    }
    return tinyflow_rounding_shift((int32_t)((product + (INT64_C(1) << 30)) >> 31), -shift);
#endif
}

/* clamp(value + zero, lo, hi), where the sum may leave int32. */
TINYFLOW_INLINE int8_t tinyflow_output(int32_t value, int32_t zero, int32_t lo, int32_t hi)
{
    return (int8_t)(tinyflow_clamp(value, lo - zero, hi - zero) + zero);
}

#endif
