/* What an instruction costs in a core model, zero wait states assumed. */
#ifndef TINYFLOW_TIMING_H
#define TINYFLOW_TIMING_H

#include "thumb.h"

/* Each rule and its name in the core models; all are cycles. */
#define TIMING_RULES(X)                                                                           \
    /* each word of a load or store of several, beside the base of its class */                   \
    X(PER_WORD, "per_word")                                                                       \
    /* a single load after a single load or store, unless it needs the register just loaded */    \
    X(LOAD_PIPELINED, "load_pipelined")                                                           \
    /* an IT after an instruction of 16 bits */                                                   \
    X(IT_FOLDED, "it_folded")                                                                     \
    /* more where a branch is taken: to a fixed address, to one in a register, to a loaded one */ \
    X(TAKEN_DIRECT, "taken_direct")                                                               \
    X(TAKEN_INDIRECT, "taken_indirect")                                                           \
    X(TAKEN_LOADED, "taken_loaded")                                                               \
    X(TAKEN_LOOP, "taken_loop")                                                                   \
    /* more where its target has 32 bits and does not lie on a word boundary */                   \
    X(TARGET_MISALIGNED, "target_misaligned")                                                     \
    /* more where the instruction just before computes a register of the address */               \
    X(ADDRESS_LOAD, "address_load")                                                               \
    X(ADDRESS_STORE, "address_store")                                                             \
    /* more for a single access that is not aligned to its size */                                \
    X(UNALIGNED_EVEN, "unaligned_even")                                                           \
    X(UNALIGNED_ODD_HALFWORD, "unaligned_odd_halfword")                                           \
    X(UNALIGNED_ODD_WORD, "unaligned_odd_word")

#define TIMING_ENUMERATOR(name, text) TIMING_##name,
typedef enum { TIMING_RULES(TIMING_ENUMERATOR) TIMING_RULE_COUNT } timing_rule;
#undef TIMING_ENUMERATOR

extern const char *const timing_rule_names[TIMING_RULE_COUNT];

typedef struct {
    uint32_t cycles[THUMB_CLASS_COUNT];
    uint32_t rules[TIMING_RULE_COUNT];
} timing;

/* Cycles of `now`, not counting what a taken branch or an unaligned access adds. `before` runs
 * just before it; NULL after a taken branch, where nothing overlaps. */
uint32_t timing_cycles(const timing *model, const thumb_instruction *now,
                       const thumb_instruction *before);

/* Whether it reads or writes memory. */
bool timing_accesses(const thumb_instruction *instruction);

/* Whether timing_cycles() depends on `before`. */
bool timing_looks_back(const thumb_instruction *now);

/* The instruction that the one after `now` has before itself: an IT that was folded into its
 * predecessor leaves that one in place. */
const thumb_instruction *timing_predecessor(const thumb_instruction *now,
                                            const thumb_instruction *before);

/* What it adds that `last` goes to `target`, which begins with an instruction of
 * `target_bytes`. */
uint32_t timing_taken(const timing *model, const thumb_instruction *last, uint64_t target,
                      uint32_t target_bytes);

/* What the address of a single load or store of `bytes` adds. */
uint32_t timing_unaligned(const timing *model, uint64_t address, uint32_t bytes);

#endif
