/* An instruction cache in front of flash: fully associative, the line unused for longest goes. */
#ifndef TINYFLOW_LINE_CACHE_H
#define TINYFLOW_LINE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t line_bytes; /* 0: no cache, every fetch hits */
    uint32_t slots;
    uint64_t *lines;     /* per slot the line that it holds */
    uint64_t *used;      /* per slot when it was last used */
    uint64_t clock;
    uint32_t latest;     /* the slot that was used last */
} line_cache;

/* False where there is no memory for it. */
bool line_cache_init(line_cache *cache, uint32_t bytes, uint32_t line_bytes);

void line_cache_clear(line_cache *cache);

/* Fetches the bytes from `start` to before `end`; the number of lines that were missing. */
uint32_t line_cache_fetch(line_cache *cache, uint64_t start, uint64_t end);

#endif
