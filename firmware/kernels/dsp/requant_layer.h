/*
 * requant_layer.h - one way to requantize for a whole layer.
 */
#ifndef TINYFLOW_REQUANT_LAYER_H
#define TINYFLOW_REQUANT_LAYER_H

#include "dsp/requant_dsp.h"

/* `brief` where the compiler has proven it, with `constant` and `mirror`; else `generic`, with
 * `left` and `right`. */
typedef struct {
    int32_t is_short;
    int32_t multiplier;
    int32_t constant, mirror;
    int32_t left, right;
    tinyflow_short_requant brief;
    tinyflow_generic_requant generic;
} tinyflow_layer_requant;

TINYFLOW_INLINE int32_t tinyflow_requant_layer(int32_t acc, const tinyflow_layer_requant *way)
{
    if (way->is_short) {
        return tinyflow_requant_short(acc, way->multiplier, way->constant, way->mirror,
                                      &way->brief);
    }
    return tinyflow_requant_generic(acc, way->multiplier, way->left, way->right, &way->generic);
}

/* A copy for a loop, whose constant stays in a register: the instructions that add the sign to it
 * take no other. */
TINYFLOW_INLINE tinyflow_layer_requant tinyflow_held_requant(const tinyflow_layer_requant *way)
{
    tinyflow_layer_requant held = *way;
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
    if (held.is_short) {
        __asm__("" : "+r"(held.constant));
    }
#endif
    return held;
}

#endif
