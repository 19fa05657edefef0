/* What an instruction of ARMv6-M to ARMv8.1-M is, as far as its time depends on it. */
#ifndef TINYFLOW_THUMB_H
#define TINYFLOW_THUMB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each class and its name in the core models. Multiples cost a base and so much for each word. */
#define THUMB_CLASSES(X)                                                                          \
    X(UNKNOWN, "unknown")                                                                         \
    X(ALU, "alu")                                                                                 \
    X(MULTIPLY, "multiply")                                                                       \
    X(MULTIPLY_ADD, "multiply_add")                                                               \
    X(MULTIPLY_DSP, "multiply_dsp")                                                               \
    X(MULTIPLY_LONG, "multiply_long")                                                             \
    X(MULTIPLY_ADD_LONG, "multiply_add_long")                                                     \
    X(DIVIDE, "divide")                                                                           \
    X(LOAD, "load")                                                                               \
    X(STORE, "store")                                                                             \
    X(LOAD_DOUBLE, "load_double")                                                                 \
    X(STORE_DOUBLE, "store_double")                                                               \
    X(LOAD_MULTIPLE, "load_multiple")                                                             \
    X(STORE_MULTIPLE, "store_multiple")                                                           \
    X(BRANCH, "branch")                                                                           \
    X(CALL, "call")                                                                               \
    X(BRANCH_INDIRECT, "branch_indirect")                                                         \
    X(TABLE_BRANCH, "table_branch")                                                               \
    X(LOOP, "loop")                                                                               \
    X(IT, "it")                                                                                   \
    X(HINT, "hint")                                                                               \
    X(BARRIER, "barrier")                                                                         \
    X(SYSTEM, "system")                                                                           \
    X(FP_MOVE, "fp_move")                                                                         \
    X(FP_MOVE_DOUBLE, "fp_move_double")                                                           \
    X(FP_ALU, "fp_alu")                                                                           \
    X(FP_MULTIPLY_ADD, "fp_multiply_add")                                                         \
    X(FP_DIVIDE, "fp_divide")                                                                     \
    X(FP_LOAD, "fp_load")                                                                         \
    X(FP_STORE, "fp_store")                                                                       \
    X(FP_LOAD_DOUBLE, "fp_load_double")                                                           \
    X(FP_STORE_DOUBLE, "fp_store_double")                                                         \
    X(FP_LOAD_MULTIPLE, "fp_load_multiple")                                                       \
    X(FP_STORE_MULTIPLE, "fp_store_multiple")                                                     \
    X(VECTOR, "vector")                                                                           \
    X(VECTOR_LOAD, "vector_load")                                                                 \
    X(VECTOR_STORE, "vector_store")

#define THUMB_ENUMERATOR(name, text) THUMB_##name,
typedef enum { THUMB_CLASSES(THUMB_ENUMERATOR) THUMB_CLASS_COUNT } thumb_class;
#undef THUMB_ENUMERATOR

extern const char *const thumb_class_names[THUMB_CLASS_COUNT];

/* Sets of core registers have bit n for register n. */
typedef struct {
    thumb_class kind;
    uint8_t bytes;     /* of the encoding: 2 or 4 */
    uint8_t words;     /* that a load or store of several moves, else 0 */
    uint8_t it_length; /* instructions that an IT makes conditional, else 0 */
    bool jumps;        /* may go elsewhere than to the next instruction */
    uint16_t computed; /* registers that get a result which does not come from memory */
    uint16_t loaded;   /* registers that are loaded */
    uint16_t address;  /* registers that the address is made of */
} thumb_instruction;

/* `first` is the half-word at the instruction's address, `second` the next one. */
thumb_instruction thumb_decode(uint16_t first, uint16_t second);

/* Whether a half-word begins an instruction of 32 bits. */
bool thumb_is_wide(uint16_t first);

#endif
