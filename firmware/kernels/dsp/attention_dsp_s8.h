/*
 * attention_dsp_s8.h - ATTENTION, two queries at a time, bit for bit as in attention_s8.h.
 *
 * The scratch holds all values in the order of their channels, so that both products are of
 * vectors that lie in one piece; then, of two queries, the scores of a head, its shares and the
 * channels of all heads in 16 bits. In place of a query, a key or a channel after the last one,
 * the last is computed again.
 */
#ifndef TINYFLOW_ATTENTION_DSP_S8_H
#define TINYFLOW_ATTENTION_DSP_S8_H

#include "dsp/shares_dsp.h"
#include "dsp/transposed_codes.h"

typedef struct {
    int32_t height, width; /* of the queries, as a map */
    int32_t keys, heads;
    int32_t depth, columns; /* channels of a head in queries and keys, and in values */
    int32_t q_zero, v_zero, out_zero;
    int32_t out_multiplier, out_shift; /* scale of values by that of the result */
    int32_t spare;
    tinyflow_decay decay;
    int32_t padded_keys, padded_depth; /* up to multiples of four */
} tinyflow_attention_dsp_s8;

/* Working memory for two queries. */
typedef struct {
    int8_t *values;   /* [heads * columns][padded_keys] */
    int32_t *scores;  /* [padded_keys][2] */
    int16_t *shares;  /* one array of two wide vectors */
    int16_t *queries; /* one for each head */
} tinyflow_attention_room;

typedef struct {
    int32_t of_0, of_1;
} tinyflow_two_numbers;

/* The scores of both queries with all keys, two at a time; the largest ones. */
TINYFLOW_INLINE tinyflow_two_numbers tinyflow_attention_dsp_scores(
    const tinyflow_attention_dsp_s8 *layer, const int16_t *queries, const int8_t *k,
    int32_t *scores)
{
    const int32_t step = layer->heads * layer->depth;
    tinyflow_two_numbers largest = {INT32_MIN, INT32_MIN};
    for (int32_t j = 0; j < layer->keys; j += 2) {
        const int8_t *key = k + j * step;
        tinyflow_mixed_sums sums = {0, 0, 0, 0};
        tinyflow_mixed_dot(&sums, queries, key, j + 1 < layer->keys ? key + step : key,
                           layer->depth);
        scores[2 * j] = sums.of_00;
        scores[2 * j + 1] = sums.of_10;
        scores[2 * j + 2] = sums.of_01;
        scores[2 * j + 3] = sums.of_11;
        largest.of_0 = tinyflow_max(largest.of_0, tinyflow_max(sums.of_00, sums.of_01));
        largest.of_1 = tinyflow_max(largest.of_1, tinyflow_max(sums.of_10, sums.of_11));
    }
    return largest;
}

/* Both results of a head, two channels at a time. */
TINYFLOW_INLINE void tinyflow_attention_dsp_mix(const tinyflow_attention_dsp_s8 *layer,
                                                const int16_t *shares,
                                                const tinyflow_row_of_shares *rows,
                                                const int8_t *values, int8_t *out_0,
                                                int8_t *out_1)
{
    for (int32_t c = 0; c < layer->columns; c += 2) {
        const int32_t next = c + 1 < layer->columns ? c + 1 : c;
        tinyflow_mixed_sums sums = {rows[0].start, rows[0].start, rows[1].start, rows[1].start};
        tinyflow_mixed_dot(&sums, shares, values + c * layer->padded_keys,
                           values + next * layer->padded_keys, layer->padded_keys);
        out_0[c] = tinyflow_row_code(sums.of_00, &rows[0], layer->out_zero);
        out_0[next] = tinyflow_row_code(sums.of_01, &rows[0], layer->out_zero);
        out_1[c] = tinyflow_row_code(sums.of_10, &rows[1], layer->out_zero);
        out_1[next] = tinyflow_row_code(sums.of_11, &rows[1], layer->out_zero);
    }
}

/* The shares of one of the two queries, and how its sums become codes. */
TINYFLOW_INLINE tinyflow_row_of_shares tinyflow_attention_dsp_shares(
    const tinyflow_attention_dsp_s8 *layer, const int32_t *scores, int32_t largest, int16_t *place)
{
    const uint32_t sum = tinyflow_wide_shares(scores, layer->keys, largest, &layer->decay,
                                              layer->spare, place);
    return tinyflow_row_with_sum(sum, layer->out_multiplier, layer->out_shift, layer->v_zero);
}

/* All heads of two queries, which are read before anything is written. */
TINYFLOW_INLINE void tinyflow_attention_dsp_queries(const tinyflow_attention_dsp_s8 *layer,
                                                    const tinyflow_attention_room *room,
                                                    const int8_t *q_0, const int8_t *q_1,
                                                    const int8_t *k, int8_t *out_0, int8_t *out_1)
{
    const int32_t wide = 2 * layer->padded_depth;
    for (int32_t h = 0; h < layer->heads; ++h) {
        int16_t *place = room->queries + h * wide;
        tinyflow_mixed_widen(q_0 + h * layer->depth, layer->depth, layer->q_zero, place);
        tinyflow_mixed_widen(q_1 + h * layer->depth, layer->depth, layer->q_zero, place + 4);
    }
    for (int32_t h = 0; h < layer->heads; ++h) {
        const tinyflow_two_numbers largest = tinyflow_attention_dsp_scores(
            layer, room->queries + h * wide, k + h * layer->depth, room->scores);
        const tinyflow_row_of_shares rows[2] = {
            tinyflow_attention_dsp_shares(layer, room->scores, largest.of_0, room->shares),
            tinyflow_attention_dsp_shares(layer, room->scores + 1, largest.of_1,
                                          room->shares + 4),
        };
        const int32_t first = h * layer->columns;
        tinyflow_attention_dsp_mix(layer, room->shares, rows,
                                   room->values + first * layer->padded_keys, out_0 + first,
                                   out_1 + first);
    }
}

/* Token n of a tensor in rows of `width` tokens. */
TINYFLOW_INLINE const int8_t *tinyflow_attention_query(const tinyflow_attention_dsp_s8 *layer,
                                                       tinyflow_const_rows q, int32_t n)
{
    return tinyflow_const_row(q, n / layer->width, layer->height) +
           n % layer->width * layer->heads * layer->depth;
}

TINYFLOW_INLINE int8_t *tinyflow_attention_result(const tinyflow_attention_dsp_s8 *layer,
                                                  tinyflow_rows out, int32_t n)
{
    return tinyflow_row(out, n / layer->width, layer->height) +
           n % layer->width * layer->heads * layer->columns;
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_attention_dsp_s8_rows(const tinyflow_attention_dsp_s8 *layer,
                                                    tinyflow_const_rows q, tinyflow_const_rows k,
                                                    tinyflow_const_rows v, tinyflow_rows out,
                                                    void *scratch, int32_t y0, int32_t y1)
{
    const int32_t channels = layer->heads * layer->columns;
    tinyflow_attention_room room;
    room.scores = (int32_t *)scratch;
    room.shares = (int16_t *)(room.scores + 2 * layer->padded_keys);
    room.queries = room.shares + 2 * layer->padded_keys;
    room.values = (int8_t *)(room.queries + 2 * layer->heads * layer->padded_depth);
    tinyflow_transpose_codes(v.data, layer->keys, channels, channels, room.values,
                             layer->padded_keys);
    const int32_t end = y1 * layer->width;
    for (int32_t n = y0 * layer->width; n < end; n += 2) {
        const int32_t next = n + 1 < end ? n + 1 : n;
        tinyflow_attention_dsp_queries(layer, &room, tinyflow_attention_query(layer, q, n),
                                       tinyflow_attention_query(layer, q, next), k.data,
                                       tinyflow_attention_result(layer, out, n),
                                       tinyflow_attention_result(layer, out, next));
    }
}

#endif
