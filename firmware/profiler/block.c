#include "block.h"

#include <stdlib.h>

enum { BUCKETS = 4096 };

static block *buckets[BUCKETS];

static uint32_t checksum_of(const uint16_t (*code)[2], uint32_t count)
{
    uint32_t sum = 2166136261u;
    for (uint32_t i = 0; i < count; i++) {
        sum = (sum ^ code[i][0]) * 16777619u;
        sum = (sum ^ code[i][1]) * 16777619u;
    }
    return sum;
}

static uint32_t words_of(const thumb_instruction *instruction)
{
    switch (instruction->kind) {
    case THUMB_FP_LOAD_DOUBLE:
    case THUMB_FP_STORE_DOUBLE:
        return 2;
    default:
        return instruction->words != 0 ? instruction->words : 1u;
    }
}

static access_site site_of(const thumb_instruction *instruction, uint32_t function)
{
    return (access_site){
        .function = function,
        .single = instruction->kind == THUMB_LOAD || instruction->kind == THUMB_STORE,
    };
}

static void add_segment(block *result, uint32_t function, uint32_t cycles)
{
    segment *last = &result->segments[result->segment_count];
    if (result->segment_count == 0 || last[-1].function != function) {
        *last = (segment){.function = function, .instructions = 1, .cycles = cycles};
        result->segment_count++;
    } else {
        last[-1].instructions++;
        last[-1].cycles += cycles;
    }
}

/* An instruction inside an IT costs one cycle where its condition fails, and what goes beyond
 * only where its access takes place. */
static uint32_t defer(access_site *site, const thumb_instruction *instruction, uint32_t cycles)
{
    const uint32_t words = words_of(instruction);
    if (cycles == 0) {
        return 0;
    }
    site->cycles_per_word = (cycles - 1u) / words;
    return cycles - site->cycles_per_word * words;
}

static void add_instructions(block *result, const setup *from, const uint16_t (*code)[2])
{
    uint32_t conditional = 0;
    const thumb_instruction *before = NULL;
    uint64_t address = result->start;
    for (uint32_t i = 0; i < result->count; i++) {
        const thumb_instruction now = thumb_decode(code[i][0], code[i][1]);
        const uint32_t function = setup_function(from, address);
        uint32_t cycles = timing_cycles(&from->model, &now, before);
        result->accesses[i] = site_of(&now, function);
        if (conditional != 0 && timing_accesses(&now)) {
            cycles = defer(&result->accesses[i], &now, cycles);
        }
        add_segment(result, function, cycles);
        if (now.kind == THUMB_UNKNOWN) {
            result->unknowns[result->unknown_count++] = (unknown_site){
                .address = address, .bits = (uint32_t)code[i][0] << 16 | code[i][1]};
        }
        if (i == 0) {
            result->first = now;
        }
        conditional = now.it_length != 0 ? now.it_length : conditional - (conditional != 0);
        result->last = now;
        result->last_function = function;
        result->predecessor = *timing_predecessor(&now, before);
        before = &result->predecessor;
        address += now.bytes;
    }
    result->end = address;
}

static block *allocate(uint32_t count)
{
    block *result = calloc(1, sizeof *result);
    if (result != NULL) {
        result->segments = calloc(count + 1u, sizeof *result->segments);
        result->unknowns = calloc(count, sizeof *result->unknowns);
        result->accesses = calloc(count, sizeof *result->accesses);
    }
    if (result == NULL || result->segments == NULL || result->unknowns == NULL
        || result->accesses == NULL) {
        return NULL;
    }
    return result;
}

block *block_make(const setup *from, uint64_t start, const uint16_t (*code)[2], uint32_t count)
{
    const uint32_t checksum = checksum_of(code, count);
    block **bucket = &buckets[(start >> 1) % BUCKETS];
    for (block *known = *bucket; known != NULL; known = known->next_same_hash) {
        if (known->start == start && known->count == count && known->checksum == checksum) {
            return known;
        }
    }
    block *result = allocate(count);
    if (result == NULL) {
        return NULL;
    }
    result->start = start;
    result->count = count;
    result->checksum = checksum;
    add_instructions(result, from, code);
    const uint32_t function = setup_function(from, start);
    const bool root = function < from->function_count && from->functions[function].root;
    result->root = root ? function : from->function_count;
    result->in_flash = start - from->flash_start < from->flash_bytes;
    result->next_same_hash = *bucket;
    *bucket = result;
    return result;
}

void block_collect(block *from, block_visitor visit)
{
    for (uint32_t i = 0; i < from->segment_count; i++) {
        visit(&from->segments[i], from->executions);
    }
    for (uint32_t i = 0; i < from->unknown_count; i++) {
        from->unknowns[i].times += from->executions;
    }
    from->executions = 0;
}

void block_visit_unknown(unknown_visitor visit)
{
    for (uint32_t i = 0; i < BUCKETS; i++) {
        for (block *each = buckets[i]; each != NULL; each = each->next_same_hash) {
            for (uint32_t k = 0; k < each->unknown_count; k++) {
                if (each->unknowns[k].times != 0) {
                    visit(&each->unknowns[k]);
                    each->unknowns[k].times = 0;
                }
            }
        }
    }
}
