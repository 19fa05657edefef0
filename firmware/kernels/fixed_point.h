/*
 * fixed_point.h - products and shifts of fractions in 32 bits.
 */
#ifndef TINYFLOW_FIXED_POINT_H
#define TINYFLOW_FIXED_POINT_H

#include "requantize.h"

/* The doubled high half of a * b, ties upward. */
TINYFLOW_INLINE int32_t tinyflow_high_product(int32_t a, int32_t b)
{
    return tinyflow_saturate(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* x * 2^exponent, saturated to int32. */
TINYFLOW_INLINE int32_t tinyflow_shift_left(int32_t x, int32_t exponent)
{
    return tinyflow_saturate((int64_t)x * (INT64_C(1) << exponent));
}

#endif
