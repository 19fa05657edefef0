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

/*
 * x * multiplier / 2^31, rounded to nearest, ties up; 0 <= multiplier.
 *
 * In halves: x = 2^16 xh + xl, multiplier = 2^16 mh + ml, xl and ml without a sign. Then, with the
 * rounding's 2^30 = 2^16 * 2^14 and from xl * ml only what is above 2^16,
 *
 *   upper + (middle + cross) / 2^16,   cross = xh * ml,   middle = xl * mh + (xl * ml >> 16) + 2^14
 *
 * are the words of the product: |cross| < 2^31, and 0 <= middle < 2^31.
 */
TINYFLOW_INLINE int32_t tinyflow_product_in_halves(int32_t x, int32_t multiplier)
{
    const uint32_t xl = (uint32_t)x & 0xffffu, ml = (uint32_t)multiplier & 0xffffu;
    const int32_t xh = x >> 16, mh = multiplier >> 16;
    const int32_t cross = xh * (int32_t)ml;
    const int32_t middle = (int32_t)(xl * (uint32_t)mh + (xl * ml >> 16)) + (1 << 14);
    const int32_t lower = (cross & 0xffff) + (middle & 0xffff);
    const int32_t upper = xh * mh + (cross >> 16) + (middle >> 16) + (lower >> 16);
    return (int32_t)((uint32_t)upper << 1) + (lower >> 15 & 1);
}

/* The same. ARMv6-M has no product of more than 32 bits, and calling for one takes less code. */
TINYFLOW_INLINE int32_t tinyflow_upper_product(int32_t x, int32_t multiplier)
{
#if defined(__thumb__) && !defined(__thumb2__) && !defined(__OPTIMIZE_SIZE__)
    return tinyflow_product_in_halves(x, multiplier);
#else
    return (int32_t)(((int64_t)x * multiplier + (INT64_C(1) << 30)) >> 31);
#endif
}

/* x * multiplier * 2^(shift - 31), saturated to int32; -31 <= shift <= 30. */
TINYFLOW_INLINE int32_t tinyflow_requantize(int32_t x, int32_t multiplier, int32_t shift)
{
#ifdef TINYFLOW_SINGLE_ROUNDING
    const int64_t product = (int64_t)x * multiplier;
    const int32_t total = 31 - shift;
    return tinyflow_saturate((product + (INT64_C(1) << (total - 1))) >> total);
#else
    if (shift > 0) {
        const int64_t product = (int64_t)x * multiplier;
        return tinyflow_saturate((product + (INT64_C(1) << (30 - shift))) >> (31 - shift));
    }
    return tinyflow_rounding_shift(tinyflow_upper_product(x, multiplier), -shift);
#endif
}

/* clamp(value + zero, lo, hi), where the sum may leave int32. */
TINYFLOW_INLINE int8_t tinyflow_output(int32_t value, int32_t zero, int32_t lo, int32_t hi)
{
    return (int8_t)(tinyflow_clamp(value, lo - zero, hi - zero) + zero);
}

#endif
