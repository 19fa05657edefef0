/*
 * detection_s8.h - DETECTION: boxes of a single-shot detector, without duplicates.
 *
 * The best candidates stand in a heap whose root is the worst of them; sorted, they are decoded
 * one by one and compared with what was kept of their class. A result row is left, top, right,
 * bottom in pixels, score and class, each in Q16.16; rows of zeros end the list.
 */
#ifndef TINYFLOW_DETECTION_S8_H
#define TINYFLOW_DETECTION_S8_H

#include "requantize.h"

typedef struct {
    int32_t positions, classes, background;
    int32_t candidates, detections;
    int32_t width, height;  /* of the image, in pixels */
    int32_t delta_zero;
    int32_t centre;         /* centre variance * delta scale in Q16 */
    uint32_t least_score;   /* Q15 */
    uint32_t overlap;       /* Q16 */
    const int32_t *powers;  /* [256]: e^(-i * logit scale) in Q16 */
    const int32_t *growth;  /* [256]: e^(size variance * delta) in Q16, by delta code + 128 */
    const int32_t *anchors; /* [positions][4]: centre x and y, width, height in pixels / 16 */
} tinyflow_detection_s8;

typedef struct {
    uint32_t place; /* position * classes + class */
    uint32_t score; /* Q15 */
} tinyflow_candidate;

typedef struct {
    int32_t left, top, right, bottom; /* pixels / 16 */
} tinyflow_box;

TINYFLOW_INLINE int tinyflow_candidate_is_worse(tinyflow_candidate a, tinyflow_candidate b)
{
    return a.score != b.score ? a.score < b.score : a.place > b.place;
}

/* Lets the entry at `hole` sink to where both entries below it are better. */
TINYFLOW_INLINE void tinyflow_heap_sink(tinyflow_candidate *heap, int32_t count, int32_t hole)
{
    const tinyflow_candidate entry = heap[hole];
    int32_t below = 2 * hole + 1;
    while (below < count) {
        if (below + 1 < count && tinyflow_candidate_is_worse(heap[below + 1], heap[below])) {
            ++below;
        }
        if (tinyflow_candidate_is_worse(entry, heap[below])) {
            break;
        }
        heap[hole] = heap[below];
        hole = below;
        below = 2 * hole + 1;
    }
    heap[hole] = entry;
}

TINYFLOW_INLINE void tinyflow_heap_add(tinyflow_candidate *heap, int32_t count,
                                       tinyflow_candidate entry)
{
    int32_t hole = count;
    while (hole > 0 && tinyflow_candidate_is_worse(entry, heap[(hole - 1) / 2])) {
        heap[hole] = heap[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    heap[hole] = entry;
}

/* The best first: the worst goes behind those that are left, again and again. */
TINYFLOW_INLINE void tinyflow_heap_sort(tinyflow_candidate *heap, int32_t count)
{
    for (int32_t last = count - 1; last > 0; --last) {
        const tinyflow_candidate worst = heap[0];
        heap[0] = heap[last];
        heap[last] = worst;
        tinyflow_heap_sink(heap, last, 0);
    }
}

/* The candidates of one position; returns how many the heap holds then. */
TINYFLOW_INLINE int32_t tinyflow_detection_s8_collect(const tinyflow_detection_s8 *layer,
                                                      const int8_t *logits, int32_t position,
                                                      tinyflow_candidate *heap, int32_t count)
{
    int32_t largest = INT8_MIN;
    uint32_t sum = 0;
    for (int32_t c = 0; c < layer->classes; ++c) {
        largest = tinyflow_max(largest, logits[c]);
    }
    for (int32_t c = 0; c < layer->classes; ++c) {
        sum += (uint32_t)layer->powers[largest - logits[c]];
    }
    /* power << 15 >= least_score * sum, with one division by a power of two for all classes */
    const uint64_t least = ((uint64_t)layer->least_score * sum + 0x7fff) >> 15;
    for (int32_t c = 0; c < layer->classes; ++c) {
        const uint32_t power = (uint32_t)layer->powers[largest - logits[c]];
        if (power < least || c == layer->background) {
            continue;
        }
        const tinyflow_candidate entry = {(uint32_t)(position * layer->classes + c),
                                          (power << 15) / sum};
        if (count < layer->candidates) {
            tinyflow_heap_add(heap, count++, entry);
        } else if (tinyflow_candidate_is_worse(heap[0], entry)) {
            heap[0] = entry;
            tinyflow_heap_sink(heap, count, 0);
        }
    }
    return count;
}

/* One side of a box: from its first to its last edge, both inside the image. */
TINYFLOW_INLINE void tinyflow_detection_s8_side(const tinyflow_detection_s8 *layer, int32_t centre,
                                                int32_t size, int8_t shift, int8_t growth,
                                                int32_t limit, int32_t *first, int32_t *last)
{
    const int64_t moved = (int64_t)size * (shift - layer->delta_zero) * layer->centre;
    const int64_t grown = ((int64_t)size * layer->growth[growth + 128] + 0x8000) >> 16;
    const int64_t begin = (2 * (centre + ((moved + 0x8000) >> 16)) - grown) >> 1;
    *first = (int32_t)(begin < 0 ? 0 : begin > limit ? limit : begin);
    *last = (int32_t)(begin + grown < 0 ? 0 : begin + grown > limit ? limit : begin + grown);
}

TINYFLOW_INLINE tinyflow_box tinyflow_detection_s8_decode(const tinyflow_detection_s8 *layer,
                                                          const int8_t *delta,
                                                          const int32_t *anchor)
{
    tinyflow_box box;
    tinyflow_detection_s8_side(layer, anchor[0], anchor[2], delta[0], delta[2], layer->width * 16,
                               &box.left, &box.right);
    tinyflow_detection_s8_side(layer, anchor[1], anchor[3], delta[1], delta[3], layer->height * 16,
                               &box.top, &box.bottom);
    return box;
}

/* Whether intersection over union is above the limit. */
TINYFLOW_INLINE int tinyflow_detection_s8_are_one(const tinyflow_detection_s8 *layer,
                                                  tinyflow_box a, tinyflow_box b)
{
    const int32_t width = tinyflow_min(a.right, b.right) - tinyflow_max(a.left, b.left);
    const int32_t height = tinyflow_min(a.bottom, b.bottom) - tinyflow_max(a.top, b.top);
    if (width <= 0 || height <= 0) {
        return 0;
    }
    const uint64_t shared = (uint64_t)width * (uint64_t)height;
    const uint64_t area_a = (uint64_t)(a.right - a.left) * (uint64_t)(a.bottom - a.top);
    const uint64_t area_b = (uint64_t)(b.right - b.left) * (uint64_t)(b.bottom - b.top);
    return (shared << 16) > layer->overlap * (area_a + area_b - shared);
}

TINYFLOW_INLINE int tinyflow_detection_s8_is_known(const tinyflow_detection_s8 *layer,
                                                   tinyflow_box box, int32_t label,
                                                   const int32_t *found, int32_t count)
{
    for (const int32_t *row = found; row < found + count * 6; row += 6) {
        const tinyflow_box kept = {row[0] >> 12, row[1] >> 12, row[2] >> 12, row[3] >> 12};
        if (row[5] >> 16 == label && tinyflow_detection_s8_are_one(layer, box, kept)) {
            return 1;
        }
    }
    return 0;
}

/* The whole result; `scratch` holds the candidates. */
TINYFLOW_INLINE void tinyflow_detection_s8_rows(const tinyflow_detection_s8 *layer,
                                                tinyflow_const_rows logits,
                                                tinyflow_const_rows deltas, tinyflow_rows out,
                                                void *scratch, int32_t y0, int32_t y1)
{
    tinyflow_candidate *heap = (tinyflow_candidate *)scratch;
    int32_t *found = (int32_t *)(void *)out.data;
    int32_t count = 0;
    int32_t kept = 0;
    (void)y0;
    (void)y1;
    for (int32_t p = 0; p < layer->positions; ++p) {
        count = tinyflow_detection_s8_collect(layer, logits.data + p * layer->classes, p, heap,
                                              count);
    }
    tinyflow_heap_sort(heap, count);
    for (int32_t i = 0; i < count && kept < layer->detections; ++i) {
        const int32_t position = (int32_t)(heap[i].place / (uint32_t)layer->classes);
        const int32_t label = (int32_t)(heap[i].place % (uint32_t)layer->classes);
        const tinyflow_box box = tinyflow_detection_s8_decode(layer, deltas.data + position * 4,
                                                              layer->anchors + position * 4);
        if (!tinyflow_detection_s8_is_known(layer, box, label, found, kept)) {
            int32_t *row = found + kept++ * 6;
            row[0] = box.left * 4096;
            row[1] = box.top * 4096;
            row[2] = box.right * 4096;
            row[3] = box.bottom * 4096;
            row[4] = (int32_t)(heap[i].score << 1);
            row[5] = label * 65536;
        }
    }
    for (int32_t i = kept * 6; i < layer->detections * 6; ++i) {
        found[i] = 0;
    }
}

#endif
