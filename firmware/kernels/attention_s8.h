/*
 * attention_s8.h - ATTENTION: for each query the mean of all values, by the shares of its scores.
 *
 *   score[j] = sum over the channels of a head of (q - q_zero) * k[j]
 *   out = clamp(requantize(sum(share[j] * (v[j] - v_zero)) / sum(share)) + out_zero)
 *
 * The zero point of keys would add the same to all scores of a query. One query after the other:
 * the scratch holds its scores, which become shares, and its channels. The result may take the
 * place of the queries.
 */
#ifndef TINYFLOW_ATTENTION_S8_H
#define TINYFLOW_ATTENTION_S8_H

#include "shares.h"

typedef struct {
    int32_t height, width; /* of the queries, as a map */
    int32_t keys, heads;
    int32_t depth, columns; /* channels of a head in queries and keys, and in values */
    int32_t q_zero, v_zero, out_zero;
    int32_t out_multiplier, out_shift; /* scale of values by that of the result */
    int32_t spare;
    tinyflow_decay decay;
} tinyflow_attention_s8;

/* The scores of all keys, four at a time; the largest one. `k` begins at the head. */
TINYFLOW_INLINE int32_t tinyflow_attention_s8_scores(const tinyflow_attention_s8 *layer,
                                                     const int16_t *restrict query,
                                                     const int8_t *restrict k,
                                                     int32_t *restrict scores)
{
    const int32_t step = layer->heads * layer->depth;
    int32_t largest = INT32_MIN;
    int32_t j = 0;
    for (; j + 4 <= layer->keys; j += 4) {
        const int8_t *key = k + j * step;
        int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (int32_t c = 0; c < layer->depth; ++c) {
            const int32_t factor = query[c];
            s0 += factor * key[c];
            s1 += factor * key[c + step];
            s2 += factor * key[c + 2 * step];
            s3 += factor * key[c + 3 * step];
        }
        scores[j] = s0;
        scores[j + 1] = s1;
        scores[j + 2] = s2;
        scores[j + 3] = s3;
        largest = tinyflow_max(tinyflow_max(tinyflow_max(largest, s0), tinyflow_max(s1, s2)), s3);
    }
    for (; j < layer->keys; ++j) {
        int32_t sum = 0;
        for (int32_t c = 0; c < layer->depth; ++c) {
            sum += query[c] * k[j * step + c];
        }
        scores[j] = sum;
        largest = tinyflow_max(largest, sum);
    }
    return largest;
}

/* A head's part of the result, four channels at a time. `v` begins at the head. */
TINYFLOW_INLINE void tinyflow_attention_s8_mix(const tinyflow_attention_s8 *layer,
                                               const int32_t *restrict shares, tinyflow_mean mean,
                                               const int8_t *restrict v, int8_t *restrict out)
{
    const int32_t step = layer->heads * layer->columns;
    int32_t c = 0;
    for (; c + 4 <= layer->columns; c += 4) {
        int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (int32_t j = 0; j < layer->keys; ++j) {
            const int32_t share = shares[j];
            const int8_t *value = v + j * step + c;
            s0 += share * (value[0] - layer->v_zero);
            s1 += share * (value[1] - layer->v_zero);
            s2 += share * (value[2] - layer->v_zero);
            s3 += share * (value[3] - layer->v_zero);
        }
        out[c] = tinyflow_mean_code(s0, mean, layer->out_zero);
        out[c + 1] = tinyflow_mean_code(s1, mean, layer->out_zero);
        out[c + 2] = tinyflow_mean_code(s2, mean, layer->out_zero);
        out[c + 3] = tinyflow_mean_code(s3, mean, layer->out_zero);
    }
    for (; c < layer->columns; ++c) {
        int32_t sum = 0;
        for (int32_t j = 0; j < layer->keys; ++j) {
            sum += shares[j] * (v[j * step + c] - layer->v_zero);
        }
        out[c] = tinyflow_mean_code(sum, mean, layer->out_zero);
    }
}

/* All heads of one query, which is read before anything is written. */
TINYFLOW_INLINE void tinyflow_attention_s8_query(const tinyflow_attention_s8 *layer,
                                                 const int8_t *q, const int8_t *k, const int8_t *v,
                                                 int8_t *out, int32_t *row, int16_t *query)
{
    for (int32_t c = 0; c < layer->heads * layer->depth; ++c) {
        query[c] = (int16_t)(q[c] - layer->q_zero);
    }
    for (int32_t h = 0; h < layer->heads; ++h) {
        const int32_t largest = tinyflow_attention_s8_scores(layer, query + h * layer->depth,
                                                             k + h * layer->depth, row);
        const uint32_t sum =
            tinyflow_shares(row, layer->keys, largest, &layer->decay, layer->spare);
        const tinyflow_mean mean = tinyflow_mean_of(sum, layer->out_multiplier, layer->out_shift);
        tinyflow_attention_s8_mix(layer, row, mean, v + h * layer->columns,
                                  out + h * layer->columns);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_attention_s8_rows(const tinyflow_attention_s8 *layer,
                                                tinyflow_const_rows q, tinyflow_const_rows k,
                                                tinyflow_const_rows v, tinyflow_rows out,
                                                void *scratch, int32_t y0, int32_t y1)
{
    int32_t *row = (int32_t *)scratch;
    int16_t *query = (int16_t *)(row + layer->keys);
    for (int32_t y = y0; y < y1; ++y) {
        const int8_t *q_row = tinyflow_const_row(q, y, layer->height);
        int8_t *out_row = tinyflow_row(out, y, layer->height);
        for (int32_t x = 0; x < layer->width; ++x) {
            tinyflow_attention_s8_query(layer, q_row + x * layer->heads * layer->depth, k.data,
                                        v.data, out_row + x * layer->heads * layer->columns, row,
                                        query);
        }
    }
}

#endif
