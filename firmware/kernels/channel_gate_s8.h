/*
 * channel_gate_s8.h - CHANNEL_GATE: a map scaled per channel by a gate that the network computes.
 *
 * For every channel the gate's code makes a line, from there on an element is one product and one
 * rounding, ties up. The output may take the place of the map.
 */
#ifndef TINYFLOW_CHANNEL_GATE_S8_H
#define TINYFLOW_CHANNEL_GATE_S8_H

#include "requantize.h"

typedef struct {
    int32_t height, width, channels;
    int32_t in_zero, gate_zero;
    int32_t base;          /* the slope of a closed gate, 24 fractional bits */
    int32_t start;         /* the zero point and half a code, 16 fractional bits */
    const int32_t *factor; /* [channels]: slope for each step of the gate */
    const int32_t *offset; /* [channels]: height for each step of the gate */
} tinyflow_channel_gate_s8;

/* code -> start + slope * code / 2^8, in codes with 16 fractional bits. */
typedef struct {
    int32_t slope;
    int32_t start;
} tinyflow_channel_gate_line;

/* slope * code / 2^8, rounded down, in products of 32 bits. */
TINYFLOW_INLINE int32_t tinyflow_channel_gate_rise(int32_t slope, int32_t code)
{
    return (slope >> 8) * code + (((slope & 255) * code) >> 8);
}

/* Of channel c. */
TINYFLOW_INLINE tinyflow_channel_gate_line
tinyflow_channel_gate_fit(const tinyflow_channel_gate_s8 *layer, const int8_t *gate, int32_t c)
{
    const int32_t open = gate[c] - layer->gate_zero;
    tinyflow_channel_gate_line line;
    line.slope = layer->factor[c] * open + layer->base;
    line.start = layer->offset[c] * open + layer->start -
                 tinyflow_channel_gate_rise(line.slope, layer->in_zero);
    return line;
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_channel_gate_s8_rows(const tinyflow_channel_gate_s8 *layer,
                                                   tinyflow_const_rows in,
                                                   tinyflow_const_rows gate, tinyflow_rows out,
                                                   int32_t y0, int32_t y1)
{
    for (int32_t c = 0; c < layer->channels; ++c) {
        const tinyflow_channel_gate_line line = tinyflow_channel_gate_fit(layer, gate.data, c);
        for (int32_t y = y0; y < y1; ++y) {
            const int8_t *in_row = tinyflow_const_row(in, y, layer->height) + c;
            int8_t *out_row = tinyflow_row(out, y, layer->height) + c;
            for (int32_t x = 0; x < layer->width; ++x) {
                const int32_t rise =
                    tinyflow_channel_gate_rise(line.slope, in_row[x * layer->channels]);
                out_row[x * layer->channels] =
                    (int8_t)tinyflow_clamp((line.start + rise) >> 16, INT8_MIN, INT8_MAX);
            }
        }
    }
}

#endif
