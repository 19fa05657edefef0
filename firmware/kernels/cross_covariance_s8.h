/*
 * cross_covariance_s8.h - CROSS_COVARIANCE: attention between the channels of a head.
 *
 *   score[i][j] = temperature * cosine over the tokens of channel i of q and channel j of k
 *   out[n][i] = clamp(requantize(sum(share[i][j] * (v[n][j] - v_zero)) / sum(share[i])) + out_zero)
 *
 * Head by head: the scratch holds its products, which become scores and then shares. The result
 * may take the place of the queries.
 */
#ifndef TINYFLOW_CROSS_COVARIANCE_S8_H
#define TINYFLOW_CROSS_COVARIANCE_S8_H

#include "inverse_root.h"
#include "shares.h"

typedef struct {
    int32_t height, width; /* of the map of tokens */
    int32_t heads, depth;  /* channels of a head */
    int32_t q_zero, k_zero, v_zero, out_zero;
    int32_t least_q, least_k; /* squares of the least norms */
    int32_t out_multiplier, out_shift; /* scale of values by that of the result */
    int32_t spare;
    const int32_t *multiplier; /* [heads]: temperature * log2(e), with its sign */
    const int8_t *shift;       /* [heads] */
} tinyflow_cross_covariance_s8;

/* One over a norm: root * 2^-(45 + half) */
typedef struct {
    uint32_t root;
    int32_t half;
} tinyflow_inverse_norm;

/* Of a sum of squares in [1, 2^31). */
TINYFLOW_INLINE tinyflow_inverse_norm tinyflow_inverse_norm_of(int32_t square)
{
    int32_t pairs = 0;
    while (!((uint32_t)square << 2 * pairs >> 30)) {
        ++pairs;
    }
    const tinyflow_inverse_norm norm = {
        .root = tinyflow_inverse_root((uint32_t)square << 2 * pairs),
        .half = -pairs,
    };
    return norm;
}

/* The decay of the scores of a channel of the queries. */
TINYFLOW_INLINE tinyflow_decay tinyflow_row_decay(int32_t multiplier, int32_t shift,
                                                  tinyflow_inverse_norm norm)
{
    const uint32_t temperature = (uint32_t)(multiplier < 0 ? -multiplier : multiplier);
    const uint64_t product = (uint64_t)temperature * norm.root;
    const int32_t low = product >> 60 == 0u;
    const int32_t left = shift - 4 - norm.half - low;
    tinyflow_decay decay = {
        .multiplier = (uint32_t)(product >> (30 - low)) >> tinyflow_clamp(-left, 0, 31),
        .left = tinyflow_clamp(left, 0, 31),
    };
    if (left > 31) {
        decay.multiplier = 1u << 30;
    }
    decay.limit = 1u << (31 - decay.left);
    return decay;
}

/* The sum of the squares of a channel, at least `least`. */
TINYFLOW_INLINE int32_t tinyflow_sum_of_squares(const int8_t *codes, int32_t tokens, int32_t step,
                                                int32_t zero, int32_t least)
{
    int32_t sum = 0;
    for (int32_t n = 0; n < tokens; ++n) {
        const int32_t value = codes[n * step] - zero;
        sum += value * value;
    }
    return tinyflow_max(sum, least);
}

/* Channel i of the queries by all channels of the keys, four at a time. */
TINYFLOW_INLINE void tinyflow_cross_covariance_s8_products(
    const tinyflow_cross_covariance_s8 *layer, const int8_t *restrict q, const int8_t *restrict k,
    int32_t *restrict row)
{
    const int32_t step = layer->heads * layer->depth;
    const int32_t tokens = layer->height * layer->width;
    int32_t j = 0;
    for (; j + 4 <= layer->depth; j += 4) {
        int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (int32_t n = 0; n < tokens; ++n) {
            const int32_t factor = q[n * step] - layer->q_zero;
            const int8_t *others = k + n * step + j;
            s0 += factor * (others[0] - layer->k_zero);
            s1 += factor * (others[1] - layer->k_zero);
            s2 += factor * (others[2] - layer->k_zero);
            s3 += factor * (others[3] - layer->k_zero);
        }
        row[j] = s0;
        row[j + 1] = s1;
        row[j + 2] = s2;
        row[j + 3] = s3;
    }
    for (; j < layer->depth; ++j) {
        int32_t sum = 0;
        for (int32_t n = 0; n < tokens; ++n) {
            sum += (q[n * step] - layer->q_zero) * (k[n * step + j] - layer->k_zero);
        }
        row[j] = sum;
    }
}

/* Products, `apart` from each other, to scores: over the norms of the keys, with 14 fractional
 * bits. The largest one. */
TINYFLOW_INLINE int32_t tinyflow_cross_scores(int32_t *row, int32_t apart, int32_t depth,
                                              int32_t multiplier,
                                              const tinyflow_inverse_norm *keys)
{
    int32_t largest = INT32_MIN;
    for (int32_t j = 0; j < depth; ++j) {
        const int64_t root = keys[j].root;
        const int64_t product = row[j * apart] * (multiplier < 0 ? -root : root);
        row[j * apart] = (int32_t)(product >> (31 + keys[j].half));
        largest = tinyflow_max(largest, row[j * apart]);
    }
    return largest;
}

/* The products of channel i of the queries, of which the sum of squares is given, to shares. */
TINYFLOW_INLINE tinyflow_mean tinyflow_cross_covariance_s8_shares(
    const tinyflow_cross_covariance_s8 *layer, int32_t head, int32_t square, int32_t *row,
    const tinyflow_inverse_norm *keys)
{
    const int32_t multiplier = layer->multiplier[head];
    const tinyflow_decay decay =
        tinyflow_row_decay(multiplier, layer->shift[head], tinyflow_inverse_norm_of(square));
    const int32_t largest = tinyflow_cross_scores(row, 1, layer->depth, multiplier, keys);
    const uint32_t sum = tinyflow_shares(row, layer->depth, largest, &decay, layer->spare);
    return tinyflow_mean_of(sum, layer->out_multiplier, layer->out_shift);
}

/* All shares of a head, whose channels q and k begin with. */
TINYFLOW_INLINE void tinyflow_cross_covariance_s8_head(const tinyflow_cross_covariance_s8 *layer,
                                                       int32_t head, const int8_t *q,
                                                       const int8_t *k, int32_t *shares,
                                                       tinyflow_mean *means,
                                                       tinyflow_inverse_norm *keys)
{
    const int32_t step = layer->heads * layer->depth;
    const int32_t tokens = layer->height * layer->width;
    for (int32_t j = 0; j < layer->depth; ++j) {
        keys[j] = tinyflow_inverse_norm_of(
            tinyflow_sum_of_squares(k + j, tokens, step, layer->k_zero, layer->least_k));
    }
    for (int32_t i = 0; i < layer->depth; ++i) {
        int32_t *row = shares + i * layer->depth;
        tinyflow_cross_covariance_s8_products(layer, q + i, k, row);
        const int32_t square =
            tinyflow_sum_of_squares(q + i, tokens, step, layer->q_zero, layer->least_q);
        means[i] = tinyflow_cross_covariance_s8_shares(layer, head, square, row, keys);
    }
}

/* A head's part of one token. */
TINYFLOW_INLINE void tinyflow_cross_covariance_s8_mix(const tinyflow_cross_covariance_s8 *layer,
                                                      const int32_t *restrict shares,
                                                      const tinyflow_mean *restrict means,
                                                      const int8_t *restrict v,
                                                      int8_t *restrict out)
{
    for (int32_t i = 0; i < layer->depth; ++i) {
        const int32_t *row = shares + i * layer->depth;
        int32_t sum = 0;
        for (int32_t j = 0; j < layer->depth; ++j) {
            sum += row[j] * (v[j] - layer->v_zero);
        }
        out[i] = tinyflow_mean_code(sum, means[i], layer->out_zero);
    }
}

/* Output rows [y0, y1). */
TINYFLOW_INLINE void tinyflow_cross_covariance_s8_rows(const tinyflow_cross_covariance_s8 *layer,
                                                       tinyflow_const_rows q,
                                                       tinyflow_const_rows k,
                                                       tinyflow_const_rows v, tinyflow_rows out,
                                                       void *scratch, int32_t y0, int32_t y1)
{
    const int32_t step = layer->heads * layer->depth;
    int32_t *shares = (int32_t *)scratch;
    tinyflow_mean *means = (tinyflow_mean *)(shares + layer->depth * layer->depth);
    tinyflow_inverse_norm *keys = (tinyflow_inverse_norm *)(means + layer->depth);
    for (int32_t h = 0; h < layer->heads; ++h) {
        const int32_t first = h * layer->depth;
        tinyflow_cross_covariance_s8_head(layer, h, q.data + first, k.data + first, shares, means,
                                          keys);
        for (int32_t y = y0; y < y1; ++y) {
            const int8_t *v_row = tinyflow_const_row(v, y, layer->height) + first;
            int8_t *out_row = tinyflow_row(out, y, layer->height) + first;
            for (int32_t x = 0; x < layer->width; ++x) {
                tinyflow_cross_covariance_s8_mix(layer, shares, means, v_row + x * step,
                                                 out_row + x * step);
            }
        }
    }
}

#endif
