/* Translated blocks of code: what one execution of each costs, worked out once. */
#ifndef TINYFLOW_BLOCK_H
#define TINYFLOW_BLOCK_H

#include "setup.h"

/* A run of instructions of a block that belong to one function. */
typedef struct {
    uint32_t function;
    uint32_t instructions;
    uint32_t cycles;
} segment;

/* An instruction that the decoder does not know. */
typedef struct {
    uint64_t address;
    uint32_t bits;
    uint64_t times;
} unknown_site;

/* An instruction that accesses memory. */
typedef struct {
    uint32_t function;
    uint32_t cycles_per_word; /* only charged where the access takes place: inside an IT */
    bool single;              /* one register: pays for an unaligned address */
} access_site;

typedef struct block {
    struct block *next_same_hash;
    struct block *next_touched;
    uint64_t start;
    uint64_t end;
    uint32_t checksum;
    uint32_t count; /* of instructions */
    uint64_t executions;
    thumb_instruction first;
    thumb_instruction last;
    thumb_instruction predecessor; /* what the next block's first instruction has before it */
    uint32_t last_function;
    uint32_t root; /* the root function that the block begins in; function_count: in none */
    bool in_flash;
    segment *segments;
    uint32_t segment_count;
    unknown_site *unknowns;
    uint32_t unknown_count;
    access_site *accesses; /* one for each instruction */
} block;

/* A block of `count` instructions from the two half-words of each, of which the second of a short
 * one is 0. The same code at the same address gives the same block. NULL without memory. */
block *block_make(const setup *from, uint64_t start, const uint16_t (*code)[2], uint32_t count);

/* Adds what `executions` blocks cost to each segment's function. */
typedef void (*block_visitor)(const segment *part, uint64_t executions);

/* Hands out what the block's executions so far cost, and forgets them. */
void block_collect(block *from, block_visitor visit);

/* Each unknown instruction that was executed since the last call. */
typedef void (*unknown_visitor)(const unknown_site *site);
void block_visit_unknown(unknown_visitor visit);

#endif
