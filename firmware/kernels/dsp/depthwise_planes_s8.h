/*
 * depthwise_planes_s8.h - DEPTHWISE_CONV_2D with one output channel per input channel, on cores
 * with the DSP extension.
 *
 * Four channels at a time are gathered into planes of 16-bit points, padded with the input's zero
 * point; then each plane is swept line by line, and every sum leaves as a byte of its NHWC pixel.
 * A line is a row of the image or a column. An image too large for the planes is gathered in bands
 * of lines; lines that the next band needs too are kept.
 */
#ifndef TINYFLOW_DEPTHWISE_PLANES_S8_H
#define TINYFLOW_DEPTHWISE_PLANES_S8_H

#include "dsp/requant_dsp.h"

/*
 * Computes `lines` lines of outputs from `channels` planes. out is the first output of the first
 * channel; stream holds per channel its weights, its bias and its constants.
 */
typedef void (*tinyflow_depthwise_sweep_block)(int8_t *out, const int16_t *planes,
                                               const int32_t *stream, int32_t lines,
                                               int32_t channels);

typedef struct {
    int32_t in_lines, in_points; /* of the image */
    int32_t out_lines;
    int32_t in_line_step, in_point_step; /* bytes between lines, between points */
    int32_t out_line_step;
    int32_t pad_lines, pad_points; /* before the first */
    int32_t kernel_lines, stride_lines;
    int32_t channels;
    int32_t band;       /* lines of outputs that the planes serve at once */
    int32_t line_size;  /* points of a plane's line */
    int32_t plane_size; /* points of a plane */
    int32_t whole;      /* computes all rows when asked for the first ones */
    int32_t transposed; /* lines are columns */
    int32_t in_zero;
    int32_t stream_step; /* words of a channel */
    const int32_t *stream;
    tinyflow_depthwise_sweep_block sweep;
} tinyflow_depthwise_planes_s8;

/* Points [begin, end) of a plane. */
TINYFLOW_INLINE void tinyflow_depthwise_fill(int16_t *plane, int32_t begin, int32_t end,
                                             int32_t value)
{
    for (int32_t i = begin; i < end; ++i) {
        plane[i] = (int16_t)value;
    }
}

/* Points of one channel and line of the image. */
TINYFLOW_INLINE void tinyflow_depthwise_gather_1(const tinyflow_depthwise_planes_s8 *layer,
                                                 const int8_t *in, int16_t *line, int32_t points)
{
    for (int32_t x = 0; x < points; ++x) {
        line[x] = in[x * layer->in_point_step];
    }
}

TINYFLOW_INLINE void tinyflow_depthwise_gather_4(const tinyflow_depthwise_planes_s8 *layer,
                                                 const int8_t *in, int16_t *line, int32_t points)
{
    for (int32_t x = 0; x < points; ++x) {
        line[x] = in[0];
        line[x + layer->plane_size] = in[1];
        line[x + 2 * layer->plane_size] = in[2];
        line[x + 3 * layer->plane_size] = in[3];
        in += layer->in_point_step;
    }
}

/* Line `from` of the padded image, channels c .. c + group - 1, to line `to` of the planes. */
TINYFLOW_INLINE void tinyflow_depthwise_gather(const tinyflow_depthwise_planes_s8 *layer,
                                               tinyflow_const_rows in, int16_t *planes, int32_t c,
                                               int32_t group, int32_t from, int32_t to)
{
    const int32_t room = layer->line_size - layer->pad_points;
    const int32_t points = layer->in_points < room ? layer->in_points : room;
    const int32_t y = from - layer->pad_lines;
    int16_t *line = planes + to * layer->line_size;

    if (y < 0 || y >= layer->in_lines) {
        for (int32_t k = 0; k < group; ++k) {
            tinyflow_depthwise_fill(line + k * layer->plane_size, 0, layer->line_size,
                                    layer->in_zero);
        }
        return;
    }
    const int8_t *row = layer->transposed ? in.data + y * layer->in_line_step
                                          : tinyflow_const_row(in, y, layer->in_lines);
    line += layer->pad_points;
    if (group == 4) {
        tinyflow_depthwise_gather_4(layer, row + c, line, points);
        return;
    }
    for (int32_t k = 0; k < group; ++k) {
        tinyflow_depthwise_gather_1(layer, row + c + k, line + k * layer->plane_size, points);
    }
}

/* Lines that the planes hold from `from` on move to their start. */
TINYFLOW_INLINE void tinyflow_depthwise_keep(const tinyflow_depthwise_planes_s8 *layer,
                                             int16_t *planes, int32_t group, int32_t from,
                                             int32_t lines)
{
    for (int32_t k = 0; k < group; ++k) {
        int16_t *plane = planes + k * layer->plane_size;
        for (int32_t i = 0; i < lines * layer->line_size; ++i) {
            plane[i] = plane[i + from * layer->line_size];
        }
    }
}

/* Channels c .. c + group - 1 of output lines [begin, end); out is line begin. */
TINYFLOW_INLINE void tinyflow_depthwise_group(const tinyflow_depthwise_planes_s8 *layer,
                                              tinyflow_const_rows in, int8_t *out, int16_t *planes,
                                              int32_t c, int32_t group, int32_t begin, int32_t end)
{
    const int32_t overlap = layer->kernel_lines - layer->stride_lines;
    int32_t held = 0;

    for (int32_t y = begin; y < end; y += layer->band) {
        const int32_t lines = y + layer->band < end ? layer->band : end - y;
        for (int32_t i = held; i < (lines - 1) * layer->stride_lines + layer->kernel_lines; ++i) {
            tinyflow_depthwise_gather(layer, in, planes, c, group, y * layer->stride_lines + i, i);
        }
        layer->sweep(out + (y - begin) * layer->out_line_step + c, planes,
                     layer->stream + c * layer->stream_step, lines, group);
        if (overlap > 0 && y + layer->band < end) {
            tinyflow_depthwise_keep(layer, planes, group, layer->band * layer->stride_lines,
                                    overlap);
            held = overlap;
        }
    }
}

/*
 * Output rows [y0, y1). Where the result takes its operand's place, or lines are columns, the
 * call for the first rows computes all of them, and the others find them done.
 */
TINYFLOW_INLINE void tinyflow_depthwise_planes_s8_rows(const tinyflow_depthwise_planes_s8 *layer,
                                                       tinyflow_const_rows in, tinyflow_rows out,
                                                       int8_t *scratch, int32_t y0, int32_t y1)
{
    const int32_t begin = layer->whole ? 0 : y0;
    const int32_t end = layer->whole ? layer->out_lines : y1;
    const int32_t full = layer->channels / 4 * 4;
    int16_t *planes = (int16_t *)(void *)scratch;
    int8_t *data = layer->transposed ? out.data : tinyflow_row(out, begin, layer->out_lines);

    if (layer->whole && y0 > 0) {
        return;
    }
    tinyflow_depthwise_fill(planes, 0, (full > 0 ? 4 : layer->channels) * layer->plane_size,
                            layer->in_zero);
    for (int32_t c = 0; c < full; c += 4) {
        tinyflow_depthwise_group(layer, in, data, planes, c, 4, begin, end);
    }
    if (full < layer->channels) {
        tinyflow_depthwise_group(layer, in, data, planes, full, layer->channels - full, begin,
                                 end);
    }
}

/* The constants of a sweep, as its assembly has them in its text. */
typedef struct {
    int32_t points; /* of a line of outputs */
    int32_t kernel_lines, kernel_points;
    int32_t stride_lines, stride_points;
    int32_t line_size, plane_size; /* in points */
    int32_t out_line_step, out_point_step;
    int32_t line_pairs; /* weight pairs of a line */
    int32_t scaled;     /* weights, and with them sums, are multiplied by 256 */
    int32_t stream_step, weight_words; /* words of a channel, and of its weights */
} tinyflow_depthwise_sweep;

/* Requantization: what of its constants all channels share is here, the rest in the stream. */
typedef struct {
    int32_t is_common, constant;
    int32_t is_mirrored;
    tinyflow_short_requant form;
} tinyflow_depthwise_short;

typedef struct {
    int32_t left_of_all; /* -1 where it is in the stream */
    tinyflow_generic_requant form;
} tinyflow_depthwise_generic;

/*
 * Weight (ky, kx) of a channel. Its pairs follow each other, line by line, two in a word: the
 * halves of the first pair are bytes 0 and 2, those of the second bytes 1 and 3. A line's pairs
 * begin with (0, 1), (2, 3), ...; the last weight of an odd line is the second half of the last.
 */
TINYFLOW_INLINE int32_t tinyflow_depthwise_weight(const tinyflow_depthwise_sweep *sweep,
                                                  const int32_t *stream, int32_t ky, int32_t kx)
{
    const int32_t is_last = kx / 2 == sweep->kernel_points / 2;
    const int32_t pair = ky * sweep->line_pairs + (is_last ? sweep->line_pairs - 1 : kx / 2);
    const int32_t half = is_last ? 1 : kx % 2;
    const uint32_t byte = ((uint32_t)stream[pair / 2] >> (16 * half + 8 * (pair % 2))) & 255u;
    const int32_t weight = (int32_t)byte - (byte > 127u ? 256 : 0);
    return sweep->scaled ? weight * 256 : weight;
}

/* The sum over one window, whose first point is `at`, modulo 2^32. */
TINYFLOW_INLINE int32_t tinyflow_depthwise_sum(const tinyflow_depthwise_sweep *sweep,
                                               const int16_t *at, const int32_t *stream,
                                               int32_t bias)
{
    uint32_t sum = (uint32_t)bias;
    for (int32_t ky = 0; ky < sweep->kernel_lines; ++ky) {
        for (int32_t kx = 0; kx < sweep->kernel_points; ++kx) {
            sum += (uint32_t)(at[ky * sweep->line_size + kx] *
                              tinyflow_depthwise_weight(sweep, stream, ky, kx));
        }
    }
    return (int32_t)sum;
}

TINYFLOW_INLINE int32_t tinyflow_depthwise_code_short(const tinyflow_depthwise_short *finish,
                                                      const int32_t *constants, int32_t sum)
{
    const int32_t constant = finish->is_common ? finish->constant : constants[1];
    const int32_t mirror = finish->is_mirrored ? constants[finish->is_common ? 1 : 2] : 0;
    return tinyflow_requant_short(sum, constants[0], constant, mirror, &finish->form);
}

TINYFLOW_INLINE int32_t tinyflow_depthwise_code_generic(const tinyflow_depthwise_generic *finish,
                                                        const int32_t *constants, int32_t sum)
{
    const int32_t left = finish->left_of_all < 0 ? constants[2] : finish->left_of_all;
    return tinyflow_requant_generic(sum, constants[0], left, constants[1], &finish->form);
}

/* The blocks' definition, for either form of requantization. */
#define TINYFLOW_DEPTHWISE_SWEEP(form)                                                             \
    TINYFLOW_INLINE void tinyflow_depthwise_sweep_##form(                                          \
        const tinyflow_depthwise_sweep *sweep, const tinyflow_depthwise_##form *finish,            \
        int8_t *out, const int16_t *planes, const int32_t *stream, int32_t lines,                  \
        int32_t channels)                                                                          \
    {                                                                                              \
        for (int32_t c = 0; c < channels; ++c) {                                                   \
            const int32_t *channel = stream + c * sweep->stream_step;                              \
            const int32_t *words = channel + sweep->weight_words; /* bias, then constants */       \
            for (int32_t y = 0; y < lines; ++y) {                                                  \
                const int16_t *line =                                                              \
                    planes + c * sweep->plane_size + y * sweep->stride_lines * sweep->line_size;   \
                for (int32_t x = 0; x < sweep->points; ++x) {                                      \
                    const int16_t *at = line + x * sweep->stride_points;                           \
                    const int32_t sum = tinyflow_depthwise_sum(sweep, at, channel, words[0]);      \
                    out[y * sweep->out_line_step + x * sweep->out_point_step + c] =                \
                        (int8_t)tinyflow_depthwise_code_##form(finish, words + 1, sum);            \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

TINYFLOW_DEPTHWISE_SWEEP(short)
TINYFLOW_DEPTHWISE_SWEEP(generic)

#endif
