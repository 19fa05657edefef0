/* What a run of the profiler needs to know, read from a file of lines:
 *
 *   begin ADDRESS                      of tinyflow_profile_begin
 *   end ADDRESS                        of tinyflow_profile_end
 *   flash ORIGIN BYTES                 data loads from here are counted, code here is cached
 *   cache BYTES LINE_BYTES             the instruction cache; both 0: none
 *   cycles CLASS CYCLES                a class of instructions, every class once
 *   rule NAME CYCLES                   a rule, every rule once
 *   function ADDRESS BYTES ROOT NAME   in ascending order of addresses, without overlaps
 *
 * A root function (ROOT 1) collects what the functions that it calls cost. Numbers are decimal
 * or 0x and hexadecimal. */
#ifndef TINYFLOW_SETUP_H
#define TINYFLOW_SETUP_H

#include "timing.h"

typedef struct {
    uint64_t start;
    uint64_t bytes;
    bool root;
} function_range;

typedef struct {
    uint64_t begin;
    uint64_t end;
    uint64_t flash_start;
    uint64_t flash_bytes;
    uint32_t cache_bytes;
    uint32_t line_bytes;
    timing model;
    function_range *functions;
    uint32_t function_count;
} setup;

/* False, and a message on stderr, where the file is missing or wrong. */
bool setup_read(setup *result, const char *path);

/* The index of the function at an address; function_count where there is none. */
uint32_t setup_function(const setup *from, uint64_t address);

#endif
