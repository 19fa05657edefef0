/* Runs the test vectors that lie in the bundle and compares every byte of the outputs. */
#include "harness_model.h"
#include "platform.h"
#include "test_vectors.h"

static uint8_t arena[TINYFLOW_MODEL_ARENA_SIZE] __attribute__((aligned(16)));

int main(void)
{
    tinyflow_model_t net;
    if (tinyflow_model_init(&net, arena, sizeof arena) != TINYFLOW_OK) {
        platform_print("self-test: the model refuses its arena\n");
        return 1;
    }
    for (size_t n = 0; n < TEST_VECTOR_COUNT; n++) {
        for (size_t i = 0; i < TINYFLOW_MODEL_INPUT_COUNT; i++) {
            const uint8_t *source = test_inputs[i] + n * tinyflow_model_input_bytes(i);
            uint8_t *target = tinyflow_model_input(&net, i);
            for (size_t b = 0; b < tinyflow_model_input_bytes(i); b++) {
                target[b] = source[b];
            }
        }
        if (tinyflow_model_run(&net) != TINYFLOW_OK) {
            platform_print("self-test: the model did not run\n");
            return 1;
        }
        for (size_t i = 0; i < TINYFLOW_MODEL_OUTPUT_COUNT; i++) {
            const uint8_t *expected = test_outputs[i] + n * tinyflow_model_output_bytes(i);
            const uint8_t *actual = tinyflow_model_output(&net, i);
            for (size_t b = 0; b < tinyflow_model_output_bytes(i); b++) {
                if (actual[b] != expected[b]) {
                    platform_print("self-test: FAILED, an output differs from the test vector\n");
                    return 1;
                }
            }
        }
    }
    platform_print("self-test: passed, every output equals its test vector\n");
    return 0;
}
