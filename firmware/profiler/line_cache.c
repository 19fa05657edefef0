#include "line_cache.h"

#include <stdlib.h>

bool line_cache_init(line_cache *cache, uint32_t bytes, uint32_t line_bytes)
{
    *cache = (line_cache){.line_bytes = line_bytes};
    if (line_bytes == 0) {
        return true;
    }
    cache->slots = bytes / line_bytes;
    cache->lines = calloc(cache->slots, sizeof *cache->lines);
    cache->used = calloc(cache->slots, sizeof *cache->used);
    if (cache->slots == 0 || cache->lines == NULL || cache->used == NULL) {
        return false;
    }
    line_cache_clear(cache);
    return true;
}

void line_cache_clear(line_cache *cache)
{
    for (uint32_t i = 0; i < cache->slots; i++) {
        cache->lines[i] = UINT64_MAX;
        cache->used[i] = 0;
    }
    cache->clock = 0;
    cache->latest = 0;
}

/* Whether the line had to be loaded. */
static bool touch(line_cache *cache, uint64_t line)
{
    uint32_t slot = 0;
    bool missing = true;
    if (cache->lines[cache->latest] == line) {
        return false;
    }
    for (uint32_t i = 0; i < cache->slots; i++) {
        if (cache->lines[i] == line) {
            slot = i;
            missing = false;
            break;
        }
        if (cache->used[i] < cache->used[slot]) {
            slot = i;
        }
    }
    cache->lines[slot] = line;
    cache->used[slot] = ++cache->clock;
    cache->latest = slot;
    return missing;
}

uint32_t line_cache_fetch(line_cache *cache, uint64_t start, uint64_t end)
{
    uint32_t missing = 0;
    if (cache->line_bytes == 0) {
        return 0;
    }
    for (uint64_t line = start / cache->line_bytes; line * cache->line_bytes < end; line++) {
        missing += touch(cache, line);
    }
    return missing;
}
