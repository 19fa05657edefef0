/*
 * requantize_neon.h - from four int32 sums to four int8 codes, as requantize.h does with one.
 */
#ifndef TINYFLOW_REQUANTIZE_NEON_H
#define TINYFLOW_REQUANTIZE_NEON_H

#include "neon/neon.h"

/* Multipliers and shifts of four neighbouring channels. */
typedef struct {
    tinyflow_lanes multiplier, shift;
} tinyflow_factors;

/* How codes leave; `shifts_left` where some shift is positive. */
typedef struct {
    int32_t zero, lo, hi;
    int32_t shifts_left;
} tinyflow_codes_range;

#if TINYFLOW_HAS_NEON

/* x * multiplier * 2^(shift - 31), rounded once, ties up, and saturated. */
TINYFLOW_INLINE int32x4_t tinyflow_requantize_wide(int32x4_t x, tinyflow_factors by)
{
    const int32x4_t total = vsubq_s32(by.shift, vdupq_n_s32(31));
    const int64x2_t lower = vmull_s32(vget_low_s32(x), vget_low_s32(by.multiplier));
    const int64x2_t upper = vmull_high_s32(x, by.multiplier);
    return vcombine_s32(vqmovn_s64(vrshlq_s64(lower, vmovl_s32(vget_low_s32(total)))),
                        vqmovn_s64(vrshlq_s64(upper, vmovl_high_s32(total))));
}

/*
 * The upper halves of the products, rounded, then shifted right. The instruction that shifts rounds
 * ties up: taking one from negative numbers first makes that away from zero.
 */
TINYFLOW_INLINE int32x4_t tinyflow_requantize_right(int32x4_t x, tinyflow_factors by)
{
    const int32x4_t right = vminq_s32(by.shift, vdupq_n_s32(0));
    const int32x4_t product = vqrdmulhq_s32(x, by.multiplier);
    const int32x4_t one_less = vshrq_n_s32(vandq_s32(product, right), 31);
    return vrshlq_s32(vqaddq_s32(product, one_less), right);
}

#endif

/* tinyflow_requantize of each lane. */
TINYFLOW_VECTOR tinyflow_lanes tinyflow_requantize_lanes(tinyflow_lanes x, tinyflow_factors by,
                                                         int32_t shifts_left)
{
#if TINYFLOW_HAS_NEON && defined(TINYFLOW_SINGLE_ROUNDING)
    (void)shifts_left;
    return tinyflow_requantize_wide(x, by);
#elif TINYFLOW_HAS_NEON
    const int32x4_t right = tinyflow_requantize_right(x, by);
    if (!shifts_left) {
        return right;
    }
    const uint32x4_t left = vcgtq_s32(by.shift, vdupq_n_s32(0));
    return vbslq_s32(left, tinyflow_requantize_wide(x, by), right);
#else
    (void)shifts_left;
    for (int i = 0; i < 4; ++i) {
        x.lane[i] = tinyflow_requantize(x.lane[i], by.multiplier.lane[i], by.shift.lane[i]);
    }
    return x;
#endif
}

/* clamp(value + zero, lo, hi) of each lane, where the sums may leave int32: a code a byte, the first
 * one lowest. */
TINYFLOW_VECTOR uint32_t tinyflow_output_lanes(tinyflow_lanes values, tinyflow_codes_range range)
{
#if TINYFLOW_HAS_NEON
    const int32x4_t lo = vdupq_n_s32(range.lo - range.zero);
    const int32x4_t hi = vdupq_n_s32(range.hi - range.zero);
    const int32x4_t clamped = vminq_s32(vmaxq_s32(values, lo), hi);
    const int16x4_t halves = vmovn_s32(vaddq_s32(clamped, vdupq_n_s32(range.zero)));
    const int8x8_t codes = vmovn_s16(vcombine_s16(halves, halves));
    return vget_lane_u32(vreinterpret_u32_s8(codes), 0);
#else
    uint32_t word = 0;
    for (int i = 0; i < 4; ++i) {
        const int8_t code = tinyflow_output(values.lane[i], range.zero, range.lo, range.hi);
        word |= (uint32_t)(uint8_t)code << (8 * i);
    }
    return word;
#endif
}

/* The first `count` codes, at most 4. */
TINYFLOW_VECTOR void tinyflow_store_codes(int8_t *out, uint32_t word, int32_t count)
{
    if (count >= 4) {
        memcpy(out, &word, 4);
        return;
    }
    for (int32_t i = 0; i < count; ++i) {
        out[i] = (int8_t)(uint8_t)(word >> (8 * i));
    }
}

#endif
