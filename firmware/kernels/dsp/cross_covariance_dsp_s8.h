/*
 * cross_covariance_dsp_s8.h - CROSS_COVARIANCE, two channels by two, bit for bit as in
 * cross_covariance_s8.h.
 *
 * Head by head: queries and keys are widened a few tokens at a time, and their products added up.
 * In place of a token after the last one, the last is computed again.
 */
#ifndef TINYFLOW_CROSS_COVARIANCE_DSP_S8_H
#define TINYFLOW_CROSS_COVARIANCE_DSP_S8_H

#include "cross_covariance_s8.h"
#include "dsp/matmul_dsp_s8.h"
#include "dsp/shares_dsp.h"
#include "dsp/token_pairs.h"

typedef struct {
    int32_t height, width; /* of the map of tokens */
    int32_t heads, depth;  /* channels of a head */
    int32_t q_zero, k_zero, v_zero, out_zero;
    int32_t least_q, least_k; /* squares of the least norms */
    int32_t out_multiplier, out_shift; /* scale of values by that of the result */
    int32_t spare;
    const int32_t *multiplier; /* [heads]: temperature * log2(e), with its sign */
    const int8_t *shift;       /* [heads] */
    int32_t padded_depth; /* up to a multiple of four */
    int32_t chunk;        /* tokens that are widened at a time, an even number */
} tinyflow_cross_covariance_dsp_s8;

/* Working memory for one head. */
typedef struct {
    int32_t *scores; /* of two rows in turn: [rows / 2][padded_depth][2] */
    int32_t *squares; /* [depth] of queries, and as many of keys */
    tinyflow_row_of_shares *rows;
    tinyflow_inverse_norm *keys;
    int16_t *wide; /* first tokens of queries and of keys, then arrays of two rows of shares */
} tinyflow_cross_room;

/* Adds the products of two channels of queries with two of keys over `tokens` tokens. */
TINYFLOW_INLINE void tinyflow_cross_dsp_products(const int16_t *q, const int16_t *k,
                                                 int32_t tokens, int32_t *scores)
{
    tinyflow_matmul_sums sums = {scores[0], scores[2], scores[1], scores[3]};
    int32_t n = tokens;
    for (; n >= 8; n -= 8) {
        tinyflow_matmul_add(&sums, q, k);
        tinyflow_matmul_add(&sums, q + 4, k + 4);
        tinyflow_matmul_add(&sums, q + 8, k + 8);
        tinyflow_matmul_add(&sums, q + 12, k + 12);
        q += 16;
        k += 16;
    }
    for (; n > 0; n -= 2) {
        tinyflow_matmul_add(&sums, q, k);
        q += 4;
        k += 4;
    }
    scores[0] = sums.of_00;
    scores[1] = sums.of_10;
    scores[2] = sums.of_01;
    scores[3] = sums.of_11;
}

/* All products of a head, and the squares of its channels. */
TINYFLOW_INLINE void tinyflow_cross_dsp_covariance(const tinyflow_cross_covariance_dsp_s8 *layer,
                                                   const tinyflow_cross_room *room,
                                                   const int8_t *q, const int8_t *k)
{
    const int32_t tokens = layer->height * layer->width, step = layer->heads * layer->depth;
    const int32_t rows = (layer->depth + 1) / 2 * 2;
    int16_t *wide_q = room->wide, *wide_k = room->wide + rows * layer->chunk;
    memset(room->scores, 0, (size_t)(rows * layer->padded_depth) * sizeof *room->scores);
    memset(room->squares, 0, (size_t)(2 * layer->depth) * sizeof *room->squares);
    for (int32_t n = 0; n < tokens; n += layer->chunk) {
        const int32_t count = tinyflow_min(layer->chunk, tokens - n);
        tinyflow_widen_tokens(q + n * step, count, step, layer->depth, layer->q_zero, wide_q,
                              layer->chunk, room->squares);
        tinyflow_widen_tokens(k + n * step, count, step, layer->depth, layer->k_zero, wide_k,
                              layer->chunk, room->squares + layer->depth);
        for (int32_t i = 0; i < layer->depth; i += 2) {
            for (int32_t j = 0; j < layer->depth; j += 2) {
                tinyflow_cross_dsp_products(wide_q + i * layer->chunk, wide_k + j * layer->chunk,
                                            count, room->scores + i * layer->padded_depth + 2 * j);
            }
        }
    }
}

/* All shares of a head from its products. */
TINYFLOW_INLINE void tinyflow_cross_dsp_shares(const tinyflow_cross_covariance_dsp_s8 *layer,
                                               const tinyflow_cross_room *room, int32_t head)
{
    const int32_t multiplier = layer->multiplier[head], shift = layer->shift[head];
    for (int32_t j = 0; j < layer->depth; ++j) {
        room->keys[j] = tinyflow_inverse_norm_of(
            tinyflow_max(room->squares[layer->depth + j], layer->least_k));
    }
    if (layer->depth & 1) {
        /* The row behind the last one is added up too. */
        memset(room->wide + (layer->depth - 1) * layer->padded_depth, 0,
               (size_t)(2 * layer->padded_depth) * sizeof *room->wide);
    }
    for (int32_t i = 0; i < layer->depth; ++i) {
        int32_t *row = room->scores + (i & ~1) * layer->padded_depth + (i & 1);
        const tinyflow_decay decay = tinyflow_row_decay(
            multiplier, shift,
            tinyflow_inverse_norm_of(tinyflow_max(room->squares[i], layer->least_q)));
        const int32_t largest =
            tinyflow_cross_scores(row, 2, layer->depth, multiplier, room->keys);
        int16_t *place = room->wide + (i & ~1) * layer->padded_depth + 4 * (i & 1);
        const uint32_t sum =
            tinyflow_wide_shares(row, layer->depth, largest, &decay, layer->spare, place);
        room->rows[i] = tinyflow_row_with_sum(sum, layer->out_multiplier, layer->out_shift,
                                              layer->v_zero);
    }
}

/* A head's part of two tokens. */
TINYFLOW_INLINE void tinyflow_cross_dsp_mix(const tinyflow_cross_covariance_dsp_s8 *layer,
                                            const tinyflow_cross_room *room, const int8_t *v_0,
                                            const int8_t *v_1, int8_t *out_0, int8_t *out_1)
{
    for (int32_t i = 0; i < layer->depth; i += 2) {
        const int32_t next = i + 1 < layer->depth ? i + 1 : i;
        const tinyflow_row_of_shares *row = room->rows + i, *other = room->rows + next;
        tinyflow_mixed_sums sums = {row->start, row->start, other->start, other->start};
        tinyflow_mixed_dot(&sums, room->wide + i * layer->padded_depth, v_0, v_1, layer->depth);
        if (next > i) {
            out_0[next] = tinyflow_row_code(sums.of_10, other, layer->out_zero);
            out_1[next] = tinyflow_row_code(sums.of_11, other, layer->out_zero);
        }
        out_0[i] = tinyflow_row_code(sums.of_00, row, layer->out_zero);
        out_1[i] = tinyflow_row_code(sums.of_01, row, layer->out_zero);
    }
}

/* Output rows [y0, y1), of a tensor that is held whole. */
TINYFLOW_INLINE void tinyflow_cross_covariance_dsp_s8_rows(
    const tinyflow_cross_covariance_dsp_s8 *layer, tinyflow_const_rows q, tinyflow_const_rows k,
    tinyflow_const_rows v, tinyflow_rows out, void *scratch, int32_t y0, int32_t y1)
{
    const int32_t step = layer->heads * layer->depth, end = y1 * layer->width;
    tinyflow_cross_room room;
    room.scores = (int32_t *)scratch;
    room.squares = room.scores + (layer->depth + 1) / 2 * 2 * layer->padded_depth;
    room.rows = (tinyflow_row_of_shares *)(room.squares + 2 * layer->depth);
    room.keys = (tinyflow_inverse_norm *)(room.rows + layer->depth);
    room.wide = (int16_t *)(room.keys + layer->depth);
    for (int32_t h = 0; h < layer->heads; ++h) {
        const int32_t first = h * layer->depth;
        tinyflow_cross_dsp_covariance(layer, &room, q.data + first, k.data + first);
        tinyflow_cross_dsp_shares(layer, &room, h);
        for (int32_t n = y0 * layer->width; n < end; n += 2) {
            const int32_t next = n + 1 < end ? n + 1 : n;
            tinyflow_cross_dsp_mix(layer, &room, v.data + n * step + first,
                                   v.data + next * step + first, out.data + n * step + first,
                                   out.data + next * step + first);
        }
    }
}

#endif
