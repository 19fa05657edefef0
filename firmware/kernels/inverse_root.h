/*
 * inverse_root.h - one over the square root, in fixed point.
 */
#ifndef TINYFLOW_INVERSE_ROOT_H
#define TINYFLOW_INVERSE_ROOT_H

#include "tinyflow.h"

/* The upper word of a * b. */
TINYFLOW_INLINE uint32_t tinyflow_upper_word(uint32_t a, uint32_t b)
{
    return (uint32_t)(((uint64_t)a * b) >> 32);
}

/*
 * 2^29 / sqrt(x / 2^32) for 2^30 <= x: a cubic within 0.71%, then two Newton steps
 * y * (3 - x * y * y) / 2, which leave 1.1e-8. All are in Q3.29.
 */
TINYFLOW_INLINE uint32_t tinyflow_inverse_root(uint32_t x)
{
    uint32_t y = UINT32_C(3344675073) - tinyflow_upper_word(x, UINT32_C(1309134556));
    y = UINT32_C(3173392722) - tinyflow_upper_word(x, y);
    y = UINT32_C(1670943197) - tinyflow_upper_word(x, y);
    for (int32_t i = 0; i < 2; ++i) {
        const uint32_t square = (uint32_t)(((uint64_t)y * y) >> 29);
        const uint32_t rest = (UINT32_C(3) << 29) - tinyflow_upper_word(x, square);
        y = (uint32_t)(((uint64_t)y * rest) >> 30);
    }
    return y;
}

#endif
