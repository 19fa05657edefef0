/*
 * neon.h - vectors of 64-bit Arm: sixteen codes, or four sums.
 *
 * The plain C beside each vector instruction is its definition, and serves machines that lack it,
 * as functions that are called: inlined everywhere, it would be too much to compile.
 */
#ifndef TINYFLOW_NEON_H
#define TINYFLOW_NEON_H

#include <string.h>

#include "requantize.h"

#if defined(__aarch64__) && defined(__ARM_NEON)
#define TINYFLOW_HAS_NEON 1
#define TINYFLOW_VECTOR TINYFLOW_INLINE
#include <arm_neon.h>
typedef int8x16_t tinyflow_codes;
typedef int32x4_t tinyflow_lanes;
#else
#define TINYFLOW_HAS_NEON 0
#if defined(__GNUC__)
#define TINYFLOW_VECTOR static __attribute__((noinline, unused))
#else
#define TINYFLOW_VECTOR static
#endif
typedef struct {
    int8_t code[16];
} tinyflow_codes;
typedef struct {
    int32_t lane[4];
} tinyflow_lanes;
#endif

TINYFLOW_VECTOR tinyflow_codes tinyflow_load_codes(const int8_t *codes)
{
#if TINYFLOW_HAS_NEON
    return vld1q_s8(codes);
#else
    tinyflow_codes all;
    memcpy(all.code, codes, sizeof all.code);
    return all;
#endif
}

TINYFLOW_VECTOR tinyflow_lanes tinyflow_load_lanes(const int32_t *values)
{
#if TINYFLOW_HAS_NEON
    return vld1q_s32(values);
#else
    tinyflow_lanes lanes;
    memcpy(lanes.lane, values, sizeof lanes.lane);
    return lanes;
#endif
}

TINYFLOW_VECTOR tinyflow_lanes tinyflow_same_lanes(int32_t value)
{
#if TINYFLOW_HAS_NEON
    return vdupq_n_s32(value);
#else
    const tinyflow_lanes lanes = {{value, value, value, value}};
    return lanes;
#endif
}

/* Sums wrap around, as those of the vectors do: what is added up last brings them back. */
TINYFLOW_VECTOR tinyflow_lanes tinyflow_add_lanes(tinyflow_lanes a, tinyflow_lanes b)
{
#if TINYFLOW_HAS_NEON
    return vaddq_s32(a, b);
#else
    for (int i = 0; i < 4; ++i) {
        a.lane[i] = (int32_t)((uint32_t)a.lane[i] + (uint32_t)b.lane[i]);
    }
    return a;
#endif
}

/*
 * Sixteen products, spread over the four lanes of `sums`. With `narrow` no weight is -128: then two
 * products fit a half-word.
 */
TINYFLOW_VECTOR tinyflow_lanes tinyflow_dot_codes(tinyflow_lanes sums, tinyflow_codes x,
                                                  tinyflow_codes w, int narrow)
{
#if TINYFLOW_HAS_NEON && defined(__ARM_FEATURE_DOTPROD)
    (void)narrow;
    return vdotq_s32(sums, x, w);
#elif TINYFLOW_HAS_NEON
    const int16x8_t lower = vmull_s8(vget_low_s8(x), vget_low_s8(w));
    if (narrow) {
        return vpadalq_s16(sums, vmlal_high_s8(lower, x, w));
    }
    return vpadalq_s16(vpadalq_s16(sums, lower), vmull_high_s8(x, w));
#else
    (void)narrow;
    for (int i = 0; i < 16; ++i) {
        const int32_t product = x.code[i] * w.code[i];
        sums.lane[i / 4] = (int32_t)((uint32_t)sums.lane[i / 4] + (uint32_t)product);
    }
    return sums;
#endif
}

/* Lane i is the sum of the lanes of the i-th argument. */
TINYFLOW_VECTOR tinyflow_lanes tinyflow_add_across(tinyflow_lanes a, tinyflow_lanes b,
                                                   tinyflow_lanes c, tinyflow_lanes d)
{
#if TINYFLOW_HAS_NEON
    return vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
#else
    const tinyflow_lanes all[4] = {a, b, c, d};
    tinyflow_lanes sums = {{0, 0, 0, 0}};
    for (int i = 0; i < 4; ++i) {
        for (int k = 0; k < 4; ++k) {
            sums.lane[i] = (int32_t)((uint32_t)sums.lane[i] + (uint32_t)all[i].lane[k]);
        }
    }
    return sums;
#endif
}

#endif
