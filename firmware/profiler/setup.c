#include "setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_LENGTH = 512, WORDS = 4 };

/* What has been given, so that nothing is missing in the end. */
typedef struct {
    bool begin;
    bool end;
    bool flash;
    bool cache;
    bool cycles[THUMB_CLASS_COUNT];
    bool rules[TIMING_RULE_COUNT];
} seen;

static bool number(const char *text, uint64_t *value)
{
    char *rest = NULL;
    *value = text != NULL ? strtoull(text, &rest, 0) : 0;
    return text != NULL && rest != text && *rest == '\0';
}

static size_t split(char *line, const char *words[WORDS + 1])
{
    size_t count = 0;
    for (char *word = strtok(line, " \n"); word != NULL && count <= WORDS;
         word = strtok(NULL, " \n")) {
        words[count++] = word;
    }
    return count;
}

static bool named(const char *name, const char *value, const char *const *names, size_t count,
                  uint32_t *values, bool *given)
{
    uint64_t cycles;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0 && number(value, &cycles)) {
            values[i] = (uint32_t)cycles;
            given[i] = true;
            return true;
        }
    }
    return false;
}

static bool add_function(setup *result, const char *const *words)
{
    uint64_t start;
    uint64_t bytes;
    uint64_t root;
    if (!number(words[1], &start) || !number(words[2], &bytes) || !number(words[3], &root)) {
        return false;
    }
    const uint32_t count = result->function_count;
    if (count != 0
        && result->functions[count - 1].start + result->functions[count - 1].bytes > start) {
        return false;
    }
    function_range *larger = realloc(result->functions, (count + 1u) * sizeof *larger);
    if (larger == NULL) {
        return false;
    }
    larger[count] = (function_range){.start = start, .bytes = bytes, .root = root != 0};
    result->functions = larger;
    result->function_count = count + 1u;
    return true;
}

static bool take(setup *result, seen *given, const char *const *words, size_t count)
{
    uint64_t first = 0;
    uint64_t second = 0;
    const bool two = count == 3 && number(words[1], &first) && number(words[2], &second);
    if (count == 2 && strcmp(words[0], "begin") == 0) {
        return given->begin = number(words[1], &result->begin);
    }
    if (count == 2 && strcmp(words[0], "end") == 0) {
        return given->end = number(words[1], &result->end);
    }
    if (two && strcmp(words[0], "flash") == 0) {
        result->flash_start = first;
        result->flash_bytes = second;
        return given->flash = true;
    }
    if (two && strcmp(words[0], "cache") == 0) {
        result->cache_bytes = (uint32_t)first;
        result->line_bytes = (uint32_t)second;
        return given->cache = true;
    }
    if (count == 3 && strcmp(words[0], "cycles") == 0) {
        return named(words[1], words[2], thumb_class_names, THUMB_CLASS_COUNT,
                     result->model.cycles, given->cycles);
    }
    if (count == 3 && strcmp(words[0], "rule") == 0) {
        return named(words[1], words[2], timing_rule_names, TIMING_RULE_COUNT,
                     result->model.rules, given->rules);
    }
    return count == 5 && strcmp(words[0], "function") == 0 && add_function(result, words);
}

static const char *first_missing(const seen *given)
{
    for (size_t i = 0; i < THUMB_CLASS_COUNT; i++) {
        if (!given->cycles[i]) {
            return thumb_class_names[i];
        }
    }
    for (size_t i = 0; i < TIMING_RULE_COUNT; i++) {
        if (!given->rules[i]) {
            return timing_rule_names[i];
        }
    }
    return !given->begin   ? "begin"
           : !given->end   ? "end"
           : !given->flash ? "flash"
           : !given->cache ? "cache"
                           : NULL;
}

bool setup_read(setup *result, const char *path)
{
    char line[LINE_LENGTH];
    char copy[LINE_LENGTH];
    seen given = {0};
    *result = (setup){0};
    FILE *file = path != NULL ? fopen(path, "r") : NULL;
    if (file == NULL) {
        fprintf(stderr, "profiler: the setup file cannot be opened\n");
        return false;
    }
    bool good = true;
    while (good && fgets(line, sizeof line, file) != NULL) {
        const char *words[WORDS + 1] = {NULL};
        strcpy(copy, line);
        const size_t count = split(line, words);
        good = take(result, &given, words, count);
        if (!good) {
            fprintf(stderr, "profiler: the setup file has a wrong line: %s", copy);
        }
    }
    fclose(file);
    const char *missing = good ? first_missing(&given) : NULL;
    if (missing != NULL) {
        fprintf(stderr, "profiler: the setup file lacks '%s'\n", missing);
    }
    return good && missing == NULL;
}

uint32_t setup_function(const setup *from, uint64_t address)
{
    uint32_t low = 0;
    uint32_t high = from->function_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2u;
        const function_range *f = &from->functions[middle];
        if (address < f->start) {
            high = middle;
        } else if (address >= f->start + f->bytes) {
            low = middle + 1u;
        } else {
            return middle;
        }
    }
    return from->function_count;
}
