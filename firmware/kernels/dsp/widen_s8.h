/*
 * widen_s8.h - int8 codes to 16 bits.
 */
#ifndef TINYFLOW_WIDEN_S8_H
#define TINYFLOW_WIDEN_S8_H

#include "tinyflow.h"

/* `count` codes; `out` is aligned to 4 bytes. */
typedef void (*tinyflow_widen)(const int8_t *in, int16_t *out, int32_t count);

TINYFLOW_INLINE void tinyflow_widen_s8(const int8_t *in, int16_t *out, int32_t count)
{
    for (int32_t i = 0; i < count; ++i) {
        out[i] = in[i];
    }
}

/* The middle two of each four are exchanged, as SXTB16 leaves them. `count` is a multiple of 4,
 * `in` is aligned to 4 bytes. */
TINYFLOW_INLINE void tinyflow_widen_permuted_s8(const int8_t *in, int16_t *out, int32_t count)
{
    for (int32_t i = 0; i < count; i += 4) {
        out[i] = in[i];
        out[i + 1] = in[i + 2];
        out[i + 2] = in[i + 1];
        out[i + 3] = in[i + 3];
    }
}

#endif
