/*
 * tinyflow.h - what the model's code, its kernels and its callers share.
 *
 * C99, readable from C++. A tensor is stored as NHWC with a batch of 1: height rows of width
 * pixels of channels. Vectors are one row of one pixel, tokens are rows of one pixel.
 */
#ifndef TINYFLOW_H
#define TINYFLOW_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    TINYFLOW_OK = 0,
    TINYFLOW_ERROR_NULL,            /* a pointer is null, or the model is not initialized */
    TINYFLOW_ERROR_ARENA_SIZE,      /* the arena is smaller than <MODEL>_ARENA_SIZE */
    TINYFLOW_ERROR_ARENA_ALIGNMENT, /* the arena does not start at a multiple of 16 bytes */
    TINYFLOW_ERROR_RUNTIME          /* the runtime that a model was compiled for refused it */
} tinyflow_status;

#define TINYFLOW_ARENA_ALIGNMENT 16u

#if defined(__GNUC__)
#define TINYFLOW_INLINE static inline __attribute__((always_inline))
#else
#define TINYFLOW_INLINE static inline
#endif

/*
 * For the functions of layers. GCC 12 for Arm drops calls of such functions, as if nothing read
 * what they store, when it derives from their bodies which memory they touch: noipa forbids it to
 * look into them from outside.
 */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 8
#define TINYFLOW_NOINLINE __attribute__((noipa))
#elif defined(__GNUC__)
#define TINYFLOW_NOINLINE __attribute__((noinline))
#else
#define TINYFLOW_NOINLINE
#endif

/* The kernels shift negative numbers right and need the sign to come along. */
typedef char tinyflow_needs_arithmetic_shifts[(-1 >> 1) == -1 ? 1 : -1];

/*
 * Rows of a tensor. Row y lies `stride` bytes after row y - 1; where only the last `ring` rows
 * are kept, row y takes the place of row y - ring.
 */
typedef struct {
    int8_t *data;
    int32_t stride;
    int32_t ring;
} tinyflow_rows;

typedef struct {
    const int8_t *data;
    int32_t stride;
    int32_t ring;
} tinyflow_const_rows;

/* Row y of a tensor of `height` rows. The modulo is gone when the ring holds all of them. */
TINYFLOW_INLINE int8_t *tinyflow_row(tinyflow_rows rows, int32_t y, int32_t height)
{
    return rows.data + (rows.ring >= height ? y : y % rows.ring) * rows.stride;
}

TINYFLOW_INLINE const int8_t *tinyflow_const_row(tinyflow_const_rows rows, int32_t y,
                                                 int32_t height)
{
    return rows.data + (rows.ring >= height ? y : y % rows.ring) * rows.stride;
}

/*
 * TINYFLOW_TAP hands rows [y0, y1) of a layer's result to the test harness. `rows` points at
 * row y0, the others follow without a gap, tinyflow_tap_row_bytes[layer] bytes each.
 */
#ifdef TINYFLOW_VERIFY
void tinyflow_tap(int32_t layer, int32_t y0, int32_t y1, const void *rows);
extern const uint32_t tinyflow_tap_row_bytes[];
#define TINYFLOW_TAP(layer, y0, y1, rows) tinyflow_tap((layer), (y0), (y1), (rows))
#else
#define TINYFLOW_TAP(layer, y0, y1, rows) ((void)0)
#endif

#ifdef __cplusplus
}
#endif

#endif
