/*
 * channel_gate_words_s8.h - CHANNEL_GATE, four channels at a time, bit for bit as in
 * channel_gate_s8.h.
 *
 * Four channels' lines stay in registers over all pixels. SMLAW takes codes from the upper bytes
 * of half-words, so that the division by 2^8 is part of it. The output may take the place of the
 * map.
 */
#ifndef TINYFLOW_CHANNEL_GATE_WORDS_S8_H
#define TINYFLOW_CHANNEL_GATE_WORDS_S8_H

#include "channel_gate_s8.h"
#include "dsp/dsp.h"

typedef tinyflow_channel_gate_s8 tinyflow_channel_gate_words_s8;

#define TINYFLOW_UPPER_BYTES UINT32_C(0xff00ff00)

/* PKHTB with ASR #16, then SSAT16: the upper halves of both sums, saturated to 8 bits. */
TINYFLOW_INLINE uint32_t tinyflow_channel_gate_codes(int32_t lower, int32_t upper)
{
#if TINYFLOW_HAS_DSP
    uint32_t codes;
    __asm__("pkhtb %0, %2, %1, asr #16\n\tssat16 %0, #8, %0"
            : "=r"(codes)
            : "r"(lower), "r"(upper));
    return codes;
#else
    return tinyflow_halves(tinyflow_clamp(lower >> 16, INT8_MIN, INT8_MAX),
                           tinyflow_clamp(upper >> 16, INT8_MIN, INT8_MAX));
#endif
}

/* Four channels of a pixel. */
TINYFLOW_INLINE uint32_t tinyflow_channel_gate_word(const tinyflow_channel_gate_line line[4],
                                                    uint32_t word)
{
    const uint32_t even = (word << 8) & TINYFLOW_UPPER_BYTES, odd = word & TINYFLOW_UPPER_BYTES;
    const uint32_t low = tinyflow_channel_gate_codes(
        tinyflow_smlaw_lower(line[0].slope, even, line[0].start),
        tinyflow_smlaw_upper(line[2].slope, even, line[2].start));
    const uint32_t high = tinyflow_channel_gate_codes(
        tinyflow_smlaw_lower(line[1].slope, odd, line[1].start),
        tinyflow_smlaw_upper(line[3].slope, odd, line[3].start));
    return tinyflow_unsigned_even_bytes(low) | tinyflow_unsigned_even_bytes(high) << 8;
}

/* `pixels` pixels of four channels. */
TINYFLOW_INLINE void tinyflow_channel_gate_run(const tinyflow_channel_gate_line line[4],
                                               const int8_t *in, int8_t *out, int32_t pixels,
                                               int32_t step)
{
    const int8_t *end = in + (pixels & ~1) * step;
    while (in != end) {
        const uint32_t first = tinyflow_load_word(in);
        const uint32_t second = tinyflow_load_word(in + step);
        tinyflow_store_word(out, tinyflow_channel_gate_word(line, first));
        tinyflow_store_word(out + step, tinyflow_channel_gate_word(line, second));
        in += 2 * step;
        out += 2 * step;
    }
    if (pixels & 1) {
        tinyflow_store_word(out, tinyflow_channel_gate_word(line, tinyflow_load_word(in)));
    }
}

/* Channels that do not fill a word, one by one. */
TINYFLOW_INLINE void tinyflow_channel_gate_single(tinyflow_channel_gate_line line,
                                                  const int8_t *in, int8_t *out, int32_t pixels,
                                                  int32_t step)
{
    for (int32_t x = 0; x < pixels; ++x) {
        const int32_t rise = tinyflow_channel_gate_rise(line.slope, in[x * step]);
        out[x * step] = (int8_t)tinyflow_clamp((line.start + rise) >> 16, INT8_MIN, INT8_MAX);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void
tinyflow_channel_gate_words_s8_rows(const tinyflow_channel_gate_words_s8 *layer,
                                    tinyflow_const_rows in, tinyflow_const_rows gate,
                                    tinyflow_rows out, int32_t y0, int32_t y1)
{
    /* Rows that all lie side by side are one. */
    const int32_t rows = in.ring >= layer->height && out.ring >= layer->height ? y1 - y0 : 1;
    const int32_t pixels = rows * layer->width;
    const int32_t whole = layer->channels & ~3;
    for (int32_t c = 0; c != whole; c += 4) {
        tinyflow_channel_gate_line line[4];
        for (int32_t i = 0; i < 4; ++i) {
            line[i] = tinyflow_channel_gate_fit(layer, gate.data, c + i);
        }
        for (int32_t y = y0; y < y1; y += rows) {
            tinyflow_channel_gate_run(line, tinyflow_const_row(in, y, layer->height) + c,
                                      tinyflow_row(out, y, layer->height) + c, pixels,
                                      layer->channels);
        }
    }
    for (int32_t c = whole; c != layer->channels; ++c) {
        const tinyflow_channel_gate_line line = tinyflow_channel_gate_fit(layer, gate.data, c);
        for (int32_t y = y0; y < y1; y += rows) {
            tinyflow_channel_gate_single(line, tinyflow_const_row(in, y, layer->height) + c,
                                         tinyflow_row(out, y, layer->height) + c, pixels,
                                         layer->channels);
        }
    }
}

#endif
