/* Times inferences on a computer with an operating system.
 *
 *     latency WARM_UP_MS LEAST MOST LIMIT_MS
 *
 * Runs the model for WARM_UP_MS milliseconds, at least once, and then times LEAST inferences and
 * further ones until there are MOST or LIMIT_MS milliseconds have passed.
 *
 * inputs.bin     one record per inference, as for the harness, taken in turn
 * latency.txt    the number of inferences to warm up, and then what each timed one took, a line
 *                each, in nanoseconds
 *
 * Copying the inputs is not timed. The exit code is 0 when every inference ran. */
#define _POSIX_C_SOURCE 200112L

#include "harness_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint8_t arena[TINYFLOW_MODEL_ARENA_SIZE] __attribute__((aligned(16)));

static int fail(const char *reason)
{
    fprintf(stderr, "error: %s\n", reason);
    return 1;
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

static size_t record_bytes(void)
{
    size_t bytes = 0;
    for (size_t i = 0; i < TINYFLOW_MODEL_INPUT_COUNT; i++) {
        bytes += tinyflow_model_input_bytes(i);
    }
    return bytes;
}

/* The records of inputs.bin and their number; NULL where there is not one. */
static uint8_t *read_records(size_t *count)
{
    FILE *file = fopen("inputs.bin", "rb");
    if (file == NULL) {
        return NULL;
    }
    const size_t bytes = record_bytes();
    uint8_t *records = NULL;
    *count = 0;
    for (;;) {
        uint8_t *grown = realloc(records, (*count + 1) * bytes);
        if (grown == NULL) {
            break;
        }
        records = grown;
        if (fread(records + *count * bytes, 1, bytes, file) != bytes) {
            break;
        }
        (*count)++;
    }
    fclose(file);
    return *count > 0 ? records : NULL;
}

/* What the inference took in nanoseconds; 0 where the model did not run. */
static uint64_t infer(tinyflow_model_t *net, const uint8_t *record)
{
    for (size_t i = 0; i < TINYFLOW_MODEL_INPUT_COUNT; i++) {
        const size_t bytes = tinyflow_model_input_bytes(i);
        memcpy(tinyflow_model_input(net, i), record, bytes);
        record += bytes;
    }
    const uint64_t start = now();
    const tinyflow_status status = tinyflow_model_run(net);
    const uint64_t end = now();
    /* A clock that is coarser than the model is fast must not look like a failure. */
    return status == TINYFLOW_OK ? end - start + (end == start) : 0;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        return fail("usage: latency WARM_UP_MS LEAST MOST LIMIT_MS");
    }
    const uint64_t warm_up = number(argv[1]) * 1000000u;
    const size_t least = (size_t)number(argv[2]);
    const size_t most = (size_t)number(argv[3]);
    const uint64_t limit = number(argv[4]) * 1000000u;
    tinyflow_model_t net;
    if (tinyflow_model_init(&net, arena, sizeof arena) != TINYFLOW_OK) {
        return fail("the model refuses its arena");
    }
    size_t records;
    uint8_t *inputs = read_records(&records);
    uint64_t *times = malloc((most + 1) * sizeof *times);
    if (inputs == NULL || times == NULL) {
        return fail("inputs.bin cannot be read");
    }
    const size_t bytes = record_bytes();
    size_t warmed = 0;
    const uint64_t start = now();
    do {
        if (infer(&net, inputs + (warmed % records) * bytes) == 0) {
            return fail("the model did not run");
        }
        warmed++;
    } while (now() - start < warm_up);
    size_t count = 0;
    const uint64_t begin = now();
    while (count < most && (count < least || now() - begin < limit)) {
        times[count] = infer(&net, inputs + (count % records) * bytes);
        if (times[count] == 0) {
            return fail("the model did not run");
        }
        count++;
    }
    FILE *file = fopen("latency.txt", "w");
    if (file == NULL) {
        return fail("latency.txt cannot be written");
    }
    fprintf(file, "%zu\n", warmed);
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "%" PRIu64 "\n", times[i]);
    }
    free(times);
    free(inputs);
    return fclose(file) == 0 ? 0 : fail("latency.txt cannot be written");
}
