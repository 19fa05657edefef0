/* Runs the model over a file of inputs.
 *
 * inputs.bin    one record per inference: the bytes of input 0, input 1, ...
 * outputs.bin   the same for the outputs
 * taps.bin      with TINYFLOW_VERIFY: per call of a tap the four words step, first row, row after
 *               the last, number of bytes, and then the rows
 * stats.txt     lines of a name and a number
 *
 * Files lie in the working directory. The exit code is 0 when every inference ran. */
#include "harness_model.h"
#include "platform.h"
#include "profile.h"

static uint8_t arena[TINYFLOW_MODEL_ARENA_SIZE] __attribute__((aligned(16)));

#ifdef TINYFLOW_VERIFY

static platform_file *taps;
static int taps_failed;

void tinyflow_tap(int32_t layer, int32_t y0, int32_t y1, const void *rows)
{
    const uint32_t bytes = (uint32_t)(y1 - y0) * tinyflow_tap_row_bytes[layer];
    const uint32_t header[4] = {(uint32_t)layer, (uint32_t)y0, (uint32_t)y1, bytes};
    if (platform_write(taps, header, sizeof header) != sizeof header
        || platform_write(taps, rows, bytes) != bytes) {
        taps_failed = 1;
    }
}

static int open_taps(void)
{
    taps = platform_open("taps.bin", PLATFORM_WRITE);
    return taps != NULL;
}

static int close_taps(void)
{
    return platform_close(taps) == 0 && !taps_failed;
}

#else

static int open_taps(void)
{
    return 1;
}

static int close_taps(void)
{
    return 1;
}

#endif

static int fail(const char *reason)
{
    platform_print("error: ");
    platform_print(reason);
    platform_print("\n");
    return 1;
}

typedef enum { RECORD_COMPLETE, RECORD_NONE, RECORD_CUT } record;

static record read_inputs(platform_file *file, tinyflow_model_t *net)
{
    for (size_t i = 0; i < TINYFLOW_MODEL_INPUT_COUNT; i++) {
        const size_t bytes = tinyflow_model_input_bytes(i);
        const size_t got = platform_read(file, tinyflow_model_input(net, i), bytes);
        if (got != bytes) {
            return i == 0 && got == 0 ? RECORD_NONE : RECORD_CUT;
        }
    }
    return RECORD_COMPLETE;
}

static int write_outputs(platform_file *file, const tinyflow_model_t *net)
{
    for (size_t i = 0; i < TINYFLOW_MODEL_OUTPUT_COUNT; i++) {
        const size_t bytes = tinyflow_model_output_bytes(i);
        if (platform_write(file, tinyflow_model_output(net, i), bytes) != bytes) {
            return 0;
        }
    }
    return 1;
}

static void write_stat(platform_file *file, const char *name, size_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    digits[--at] = '\n';
    do {
        digits[--at] = (char)('0' + (int)(value % 10u));
        value /= 10u;
    } while (value != 0);
    digits[--at] = ' ';
    size_t length = 0;
    while (name[length] != '\0') {
        length++;
    }
    platform_write(file, name, length);
    platform_write(file, digits + at, sizeof digits - at);
}

int main(void)
{
    tinyflow_model_t net;
    if (tinyflow_model_init(&net, arena, sizeof arena) != TINYFLOW_OK) {
        return fail("the model refuses its arena");
    }
    platform_file *inputs = platform_open("inputs.bin", PLATFORM_READ);
    platform_file *outputs = platform_open("outputs.bin", PLATFORM_WRITE);
    if (inputs == NULL || outputs == NULL || !open_taps()) {
        return fail("inputs.bin or the files of results cannot be opened");
    }
    size_t count = 0;
    size_t stack_bytes = 0;
    record state;
    while ((state = read_inputs(inputs, &net)) == RECORD_COMPLETE) {
        /* Every inference takes the same calls, so the first tells the depth of all. */
        if (count == 0) {
            platform_paint_stack();
        }
        tinyflow_profile_begin();
        const tinyflow_status status = tinyflow_model_run(&net);
        tinyflow_profile_end();
        if (count == 0) {
            stack_bytes = platform_stack_bytes();
        }
        if (status != TINYFLOW_OK) {
            return fail("the model did not run");
        }
        if (!write_outputs(outputs, &net)) {
            return fail("outputs.bin cannot be written");
        }
        count++;
    }
    if (state == RECORD_CUT) {
        return fail("inputs.bin ends within a record");
    }
    platform_file *stats = platform_open("stats.txt", PLATFORM_WRITE);
    if (stats == NULL) {
        return fail("stats.txt cannot be written");
    }
    write_stat(stats, "inferences", count);
    write_stat(stats, "arena_bytes", sizeof arena);
    write_stat(stats, "stack_bytes", stack_bytes);
    if (platform_close(outputs) != 0 || !close_taps() || platform_close(stats) != 0) {
        return fail("the results cannot be written");
    }
    return 0;
}
