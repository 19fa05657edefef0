#include "timing.h"

#define TIMING_NAME(name, text) text,
const char *const timing_rule_names[TIMING_RULE_COUNT] = {TIMING_RULES(TIMING_NAME)};
#undef TIMING_NAME

typedef enum { NO_ACCESS, READS, WRITES } access;

static access access_of(const thumb_instruction *instruction)
{
    switch (instruction->kind) {
    case THUMB_LOAD:
    case THUMB_LOAD_DOUBLE:
    case THUMB_LOAD_MULTIPLE:
    case THUMB_TABLE_BRANCH:
    case THUMB_FP_LOAD:
    case THUMB_FP_LOAD_DOUBLE:
    case THUMB_FP_LOAD_MULTIPLE:
    case THUMB_VECTOR_LOAD:
        return READS;
    case THUMB_STORE:
    case THUMB_STORE_DOUBLE:
    case THUMB_STORE_MULTIPLE:
    case THUMB_FP_STORE:
    case THUMB_FP_STORE_DOUBLE:
    case THUMB_FP_STORE_MULTIPLE:
    case THUMB_VECTOR_STORE:
        return WRITES;
    default:
        return NO_ACCESS;
    }
}

static bool is_multiple(const thumb_instruction *instruction)
{
    switch (instruction->kind) {
    case THUMB_LOAD_MULTIPLE:
    case THUMB_STORE_MULTIPLE:
    case THUMB_FP_LOAD_MULTIPLE:
    case THUMB_FP_STORE_MULTIPLE:
        return true;
    default:
        return false;
    }
}

static bool folds(const thumb_instruction *now, const thumb_instruction *before)
{
    return now->kind == THUMB_IT && before != NULL && before->bytes == 2;
}

static bool is_pipelined(const thumb_instruction *now, const thumb_instruction *before)
{
    return now->kind == THUMB_LOAD && before != NULL
           && (before->kind == THUMB_LOAD || before->kind == THUMB_STORE)
           && (before->loaded & now->address) == 0;
}

uint32_t timing_cycles(const timing *model, const thumb_instruction *now,
                       const thumb_instruction *before)
{
    if (folds(now, before)) {
        return model->rules[TIMING_IT_FOLDED];
    }
    if (is_pipelined(now, before)) {
        return model->rules[TIMING_LOAD_PIPELINED];
    }
    uint32_t cycles = model->cycles[now->kind];
    if (is_multiple(now)) {
        cycles += now->words * model->rules[TIMING_PER_WORD];
    }
    if (before != NULL && (before->computed & now->address) != 0) {
        const access kind = access_of(now);
        cycles += kind == READS    ? model->rules[TIMING_ADDRESS_LOAD]
                  : kind == WRITES ? model->rules[TIMING_ADDRESS_STORE]
                                   : 0u;
    }
    return cycles;
}

bool timing_accesses(const thumb_instruction *instruction)
{
    return access_of(instruction) != NO_ACCESS;
}

bool timing_looks_back(const thumb_instruction *now)
{
    return now->kind == THUMB_IT || timing_accesses(now);
}

const thumb_instruction *timing_predecessor(const thumb_instruction *now,
                                            const thumb_instruction *before)
{
    return folds(now, before) ? before : now;
}

static timing_rule taken_rule(const thumb_instruction *last)
{
    switch (last->kind) {
    case THUMB_LOAD:
    case THUMB_LOAD_MULTIPLE:
        return TIMING_TAKEN_LOADED;
    case THUMB_BRANCH_INDIRECT:
    case THUMB_TABLE_BRANCH:
        return TIMING_TAKEN_INDIRECT;
    case THUMB_LOOP:
        return TIMING_TAKEN_LOOP;
    default:
        return TIMING_TAKEN_DIRECT;
    }
}

uint32_t timing_taken(const timing *model, const thumb_instruction *last, uint64_t target,
                      uint32_t target_bytes)
{
    const bool misaligned = target_bytes == 4 && (target & 2u) != 0;
    return model->rules[taken_rule(last)]
           + (misaligned ? model->rules[TIMING_TARGET_MISALIGNED] : 0u);
}

uint32_t timing_unaligned(const timing *model, uint64_t address, uint32_t bytes)
{
    if (bytes < 2 || address % bytes == 0) {
        return 0;
    }
    if (address % 2u == 0) {
        return model->rules[TIMING_UNALIGNED_EVEN];
    }
    return model->rules[bytes == 2 ? TIMING_UNALIGNED_ODD_HALFWORD : TIMING_UNALIGNED_ODD_WORD];
}
