/*
 * requant_dsp.h - from int32 sums to int8 codes with the multiplications of ARMv7E-M.
 *
 * `tinyflow_short_requant` and `tinyflow_generic_requant` are what `find_requant` of the compiler
 * finds; they equal tinyflow_requantize where it has proven so. The plain C beside each
 * instruction is its definition, and serves cores that lack it. The structures are meant to be
 * constants: inlined, each form is the few instructions that the compiler counted.
 */
#ifndef TINYFLOW_REQUANT_DSP_H
#define TINYFLOW_REQUANT_DSP_H

#include "tinyflow.h"

/* c + the high half of a * b, modulo 2^32. */
TINYFLOW_INLINE int32_t tinyflow_smmla(int32_t a, int32_t b, int32_t c)
{
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
    int32_t sum;
    __asm__("smmla %0, %1, %2, %3" : "=r"(sum) : "r"(a), "r"(b), "r"(c));
    return sum;
#else
    return (int32_t)((uint32_t)c + (uint32_t)(int32_t)(((int64_t)a * b) >> 32));
#endif
}

/* As tinyflow_smmla, with the high half rounded to nearest, ties upward. */
TINYFLOW_INLINE int32_t tinyflow_smmlar(int32_t a, int32_t b, int32_t c)
{
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
    int32_t sum;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(sum) : "r"(a), "r"(b), "r"(c));
    return sum;
#else
    const int64_t rounded = (int64_t)a * b + INT64_C(0x80000000);
    return (int32_t)((uint32_t)c + (uint32_t)(int32_t)(rounded >> 32));
#endif
}

/* x * 2^bits modulo 2^32. */
TINYFLOW_INLINE int32_t tinyflow_lift(int32_t x, int32_t bits)
{
    return (int32_t)((uint32_t)x << bits);
}

TINYFLOW_INLINE int32_t tinyflow_within(int32_t value, int32_t lo, int32_t hi)
{
    return value < lo ? lo : value > hi ? hi : value;
}

/* SSAT to 8 bits. The compiler's own function takes a shift before it into the instruction. */
TINYFLOW_INLINE int32_t tinyflow_signed_byte_within(int32_t value)
{
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
    return (int32_t)__builtin_arm_ssat(value, 8);
#else
    return tinyflow_within(value, -128, 127);
#endif
}

/* USAT to 8 bits. */
TINYFLOW_INLINE int32_t tinyflow_byte_within(int32_t value)
{
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
    return (int32_t)__builtin_arm_usat(value, 8);
#else
    return tinyflow_within(value, 0, 255);
#endif
}

/* SSAT or USAT to [lowest, highest], then `offset`; with `again` a second SSAT to 8 bits, and
 * then `last`. */
typedef struct {
    int32_t lowest;
    int32_t highest;
    int32_t offset;
    int32_t again;
    int32_t last;
} tinyflow_saturation;

TINYFLOW_INLINE int32_t tinyflow_saturate_code(int32_t value, const tinyflow_saturation *way)
{
    int32_t code = value;
    if (way->lowest == -128 && way->highest == 127) {
        code = tinyflow_signed_byte_within(code);
    } else if (way->lowest == 0 && way->highest == 255) {
        code = tinyflow_byte_within(code);
    } else {
        code = tinyflow_within(code, way->lowest, way->highest);
    }
    code += way->offset;
    return way->again ? tinyflow_signed_byte_within(code) + way->last : code;
}

/* How the constant is lowered where the accumulator is negative. */
typedef enum {
    TINYFLOW_SIGN_NONE,
    TINYFLOW_SIGN_STEP,  /* by 1 */
    TINYFLOW_SIGN_SLOPE, /* by its top `bits` bits, unsigned: a jump of 2^bits and a slope */
    TINYFLOW_SIGN_SPLIT, /* by 2^bits */
    TINYFLOW_SIGN_MIRROR /* `mirror` is subtracted, else it is added */
} tinyflow_sign_way;

typedef struct {
    int32_t lift;
    int32_t rounded;
    int32_t shift;
    tinyflow_sign_way sign;
    int32_t bits;
    tinyflow_saturation saturation;
} tinyflow_short_requant;

/* An accumulator as the kernel's register holds it, and the channel's constants, to its code. */
TINYFLOW_INLINE int32_t tinyflow_requant_short(int32_t acc, int32_t multiplier, int32_t constant,
                                               int32_t mirror, const tinyflow_short_requant *form)
{
    int32_t value = tinyflow_lift(acc, form->lift);
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
    /* Keeps the compiler from taking the sign out of the number before its lift: an ADD shifts
     * the lifted one on its way. */
    __asm__("" : "+r"(value));
#endif
    uint32_t addend = (uint32_t)constant;
    switch (form->sign) {
    case TINYFLOW_SIGN_STEP:
        addend += (uint32_t)(value >> 31);
        break;
    case TINYFLOW_SIGN_SLOPE:
        addend -= (uint32_t)value >> (32 - form->bits);
        break;
    case TINYFLOW_SIGN_SPLIT:
        addend += (uint32_t)(value >> 31) << form->bits;
        break;
    case TINYFLOW_SIGN_MIRROR:
        addend = value < 0 ? addend - (uint32_t)mirror : addend + (uint32_t)mirror;
        break;
    default:
        break;
    }
    const int32_t sum = form->rounded ? tinyflow_smmlar(value, multiplier, (int32_t)addend)
                                      : tinyflow_smmla(value, multiplier, (int32_t)addend);
    return tinyflow_saturate_code(sum >> form->shift, &form->saturation);
}

/* `held` is how far up the register holds the accumulator. With `wide` the doubled accumulator
 * may leave 32 bits, with `by_sign` ties go away from zero (double rounding). */
typedef struct {
    int32_t held;
    int32_t wide;
    int32_t by_sign;
    int32_t zero; /* less what the saturation adds */
    tinyflow_saturation saturation;
} tinyflow_generic_requant;

/* The product's high half; `*carry` is the bit below it, 0 where it is rounded. */
TINYFLOW_INLINE int32_t tinyflow_high_half(int32_t value, int32_t multiplier,
                                           const tinyflow_generic_requant *form, int32_t *carry)
{
    *carry = 0;
    if (!form->wide) {
        return form->by_sign ? tinyflow_smmlar(value, multiplier, 0)
                             : tinyflow_smmla(value, multiplier, 0);
    }
    const int64_t doubled = (int64_t)value * multiplier * 2;
    const int32_t below = (int32_t)((doubled >> 31) & 1);
    if (form->by_sign) {
        return (int32_t)(doubled >> 32) + below;
    }
    *carry = below;
    return (int32_t)(doubled >> 32);
}

/* As tinyflow_requant_short, for any channel: `left` bits up from the plain accumulator, `right`
 * bits down after the product. */
TINYFLOW_INLINE int32_t tinyflow_requant_generic(int32_t acc, int32_t multiplier, int32_t left,
                                                 int32_t right,
                                                 const tinyflow_generic_requant *form)
{
    const int32_t value =
        left < form->held ? acc >> (form->held - left) : tinyflow_lift(acc, left - form->held);
    int32_t carry;
    int32_t high = tinyflow_high_half(value, multiplier, form, &carry);
    if (right > 31) {
        high = 0;
    } else if (right > 0) {
        high += form->by_sign ? high >> 31 : 0;
        carry = (high >> (right - 1)) & 1;
        high >>= right;
    }
    int32_t code = high + carry;
    if (form->wide) {
        code = tinyflow_within(code, -32768, 32767);
    }
    return tinyflow_saturate_code(code + form->zero, &form->saturation);
}

#endif
