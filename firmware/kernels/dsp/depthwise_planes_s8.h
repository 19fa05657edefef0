/*
 * depthwise_planes_s8.h - DEPTHWISE_CONV_2D on cores with the DSP extension.
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
 * Computes `lines` lines of outputs for `channels` output channels, from a plane each or all from
 * one. out is the first output of the first channel; stream holds per channel its weights, its
 * bias and its constants.
 */
typedef void (*tinyflow_depthwise_sweep_block)(int8_t *out, const int16_t *planes,
                                               const int32_t *stream, int32_t lines,
                                               int32_t channels);

/* Gathers `lines` lines of an image, four channels each, to planes whose first line is `planes`. */
typedef void (*tinyflow_depthwise_gather_block)(int16_t *planes, const int8_t *in, int32_t lines);

typedef struct {
    int32_t in_lines, in_points; /* of the image */
    int32_t out_lines;
    int32_t in_line_step, in_point_step; /* bytes between neighbours */
    int32_t out_line_step;
    int32_t pad_lines, pad_points; /* before the first */
    int32_t kernel_lines, stride_lines;
    int32_t channels;     /* of the image */
    int32_t multiplicity; /* output channels of each */
    int32_t band;       /* lines of outputs that the planes serve at once */
    int32_t line_size;  /* points of a plane's line */
    int32_t plane_size; /* points of a plane */
    int32_t in_zero;
    int32_t stream_step; /* words of a channel */
    const int32_t *stream;
    tinyflow_depthwise_gather_block gather;
    tinyflow_depthwise_sweep_block sweep;
} tinyflow_depthwise_planes_s8;

/* Two points of a plane, for loops that only move them. */
#if defined(__GNUC__)
typedef int32_t __attribute__((may_alias)) tinyflow_depthwise_pair;
#else
typedef int32_t tinyflow_depthwise_pair;
#endif

/* `lines` lines of `group` planes, from `planes` on, become padding. */
TINYFLOW_INLINE void tinyflow_depthwise_pad(const tinyflow_depthwise_planes_s8 *layer,
                                            int16_t *planes, int32_t group, int32_t lines)
{
    const uint32_t half = (uint32_t)layer->in_zero & 0xffffu;
    for (int32_t k = 0; k < group; ++k) {
        tinyflow_depthwise_pair *to = (tinyflow_depthwise_pair *)(planes + k * layer->plane_size);
        for (int32_t i = 0; i < lines * layer->line_size / 2; ++i) {
            to[i] = (int32_t)(half | half << 16);
        }
    }
}

/* Lines that the planes hold from `from` on move to their start. */
TINYFLOW_INLINE void tinyflow_depthwise_keep(const tinyflow_depthwise_planes_s8 *layer,
                                             int16_t *planes, int32_t group, int32_t from,
                                             int32_t lines)
{
    for (int32_t k = 0; k < group; ++k) {
        tinyflow_depthwise_pair *to = (tinyflow_depthwise_pair *)(planes + k * layer->plane_size);
        const tinyflow_depthwise_pair *line = to + from * layer->line_size / 2;
        const int32_t words = lines * layer->line_size / 2;
        int32_t i = 0;
        for (; i + 4 <= words; i += 4) {
            const int32_t a = line[i];
            const int32_t b = line[i + 1];
            const int32_t c = line[i + 2];
            const int32_t d = line[i + 3];
            to[i] = a;
            to[i + 1] = b;
            to[i + 2] = c;
            to[i + 3] = d;
        }
        for (; i < words; ++i) {
            to[i] = line[i];
        }
    }
}

/* `lines` lines of one channel, from `in` on. */
TINYFLOW_INLINE void tinyflow_depthwise_gather_1(const tinyflow_depthwise_planes_s8 *layer,
                                                 int16_t *plane, const int8_t *in, int32_t lines)
{
    const int32_t room = layer->line_size - layer->pad_points;
    const int32_t points = layer->in_points < room ? layer->in_points : room;
    for (int32_t y = 0; y < lines; ++y) {
        int16_t *line = plane + y * layer->line_size + layer->pad_points;
        for (int32_t x = 0; x < points; ++x) {
            line[x] = in[y * layer->in_line_step + x * layer->in_point_step];
        }
    }
}

/* Lines [from, end) of the padded image, `group` channels from `in` on, to the line `planes`. Lines
 * beside the image are padded where `pad` says that the planes may hold others there. */
TINYFLOW_INLINE void tinyflow_depthwise_gather(const tinyflow_depthwise_planes_s8 *layer,
                                               int16_t *planes, const int8_t *in, int32_t group,
                                               int32_t from, int32_t end, int32_t pad)
{
    const int32_t bottom = layer->in_lines + layer->pad_lines;
    const int32_t first = from > layer->pad_lines ? from : layer->pad_lines;
    const int32_t last = end < bottom ? end : bottom;
    int16_t *line = planes + (first - from) * layer->line_size;

    if (pad) {
        const int32_t above = (first < end ? first : end) - from;
        const int32_t below = end - (last > from ? last : from);
        tinyflow_depthwise_pad(layer, planes, group, above);
        tinyflow_depthwise_pad(layer, planes + (end - below - from) * layer->line_size, group,
                               below);
    }
    if (first >= last) {
        return;
    }
    in += (first - layer->pad_lines) * layer->in_line_step;
    if (group == 4) {
        layer->gather(line, in, last - first);
        return;
    }
    for (int32_t k = 0; k < group; ++k) {
        tinyflow_depthwise_gather_1(layer, line + k * layer->plane_size, in + k, last - first);
    }
}

/* `lines` lines of all outputs of `group` channels. */
TINYFLOW_INLINE void tinyflow_depthwise_sweep_group(const tinyflow_depthwise_planes_s8 *layer,
                                                    const int16_t *planes, const int32_t *stream,
                                                    int8_t *out, int32_t group, int32_t lines)
{
    const int32_t each = layer->multiplicity;
    if (each == 1) {
        layer->sweep(out, planes, stream, lines, group);
        return;
    }
    for (int32_t k = 0; k < group; ++k) {
        layer->sweep(out + k * each, planes + k * layer->plane_size,
                     stream + k * each * layer->stream_step, lines, each);
    }
}

/* `group` channels, band by band; in and out are the first one's first byte. */
TINYFLOW_INLINE void tinyflow_depthwise_group(const tinyflow_depthwise_planes_s8 *layer,
                                              const int8_t *in, int8_t *out, int16_t *planes,
                                              const int32_t *stream, int32_t group)
{
    const int32_t overlap = layer->kernel_lines - layer->stride_lines;
    int32_t held = 0;

    for (int32_t y = 0; y < layer->out_lines; y += layer->band) {
        const int32_t lines = layer->out_lines - y < layer->band ? layer->out_lines - y
                                                                 : layer->band;
        const int32_t from = y * layer->stride_lines;
        const int32_t needed = (lines - 1) * layer->stride_lines + layer->kernel_lines;
        tinyflow_depthwise_gather(layer, planes + held * layer->line_size, in, group, from + held,
                                  from + needed, layer->band < layer->out_lines);
        tinyflow_depthwise_sweep_group(layer, planes, stream, out + y * layer->out_line_step,
                                       group, lines);
        if (overlap > 0 && y + layer->band < layer->out_lines) {
            tinyflow_depthwise_keep(layer, planes, group, layer->band * layer->stride_lines,
                                    overlap);
            held = overlap;
        }
    }
}

/*
 * Output rows [y0, y1). Channels come group by group, each with all of its rows: the call for the
 * first rows computes every row, and later calls find theirs done. So all rows of the operand must
 * be there, and memory for all of the result, which may be the operand's.
 */
TINYFLOW_INLINE void tinyflow_depthwise_planes_s8_rows(const tinyflow_depthwise_planes_s8 *layer,
                                                       tinyflow_const_rows in, tinyflow_rows out,
                                                       int8_t *scratch, int32_t y0, int32_t y1)
{
    const int32_t full = layer->channels / 4 * 4;
    const int32_t *stream = layer->stream;
    int16_t *planes = (int16_t *)(void *)scratch;

    (void)y1;
    if (y0 > 0) {
        return;
    }
    /* Nothing is gathered to the points beside the image. */
    tinyflow_depthwise_pad(layer, planes, full > 0 ? 4 : layer->channels,
                           layer->plane_size / layer->line_size);
    for (int32_t c = 0; c < full; c += 4) {
        tinyflow_depthwise_group(layer, in.data + c, out.data + c * layer->multiplicity, planes,
                                 stream, 4);
        stream += 4 * layer->multiplicity * layer->stream_step;
    }
    if (full < layer->channels) {
        tinyflow_depthwise_group(layer, in.data + full, out.data + full * layer->multiplicity,
                                 planes, stream, layer->channels - full);
    }
}

/* The constants of a gathering, as its assembly has them in its text. */
typedef struct {
    int32_t points; /* of a line */
    int32_t pad;    /* before the first */
    int32_t line_step, point_step;
    int32_t line_size, plane_size;
} tinyflow_depthwise_image;

/* The block's definition. */
TINYFLOW_INLINE void tinyflow_depthwise_gather_4(const tinyflow_depthwise_image *image,
                                                 int16_t *planes, const int8_t *in, int32_t lines)
{
    for (int32_t k = 0; k < 4; ++k) {
        int16_t *plane = planes + k * image->plane_size + image->pad;
        for (int32_t y = 0; y < lines; ++y) {
            for (int32_t x = 0; x < image->points; ++x) {
                plane[y * image->line_size + x] =
                    in[y * image->line_step + x * image->point_step + k];
            }
        }
    }
}

/* The constants of a sweep, as its assembly has them in its text. */
typedef struct {
    int32_t points; /* of a line of outputs */
    int32_t kernel_lines, kernel_points;
    int32_t stride_lines, stride_points;
    int32_t line_size, plane_step; /* in points */
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
                    planes + c * sweep->plane_step + y * sweep->stride_lines * sweep->line_size;   \
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
