/* A plugin for QEMU that counts instructions and models cycles, function by function, between the
 * calls of tinyflow_profile_begin() and tinyflow_profile_end().
 *
 *     -plugin profiler.so,setup=FILE,result=FILE
 *
 * setup.h says what the setup file holds. The result has, for each inference,
 *
 *   inference
 *   count ROOT FUNCTION INSTRUCTIONS CYCLES TAKEN FLASH_LOADS MISSES
 *   unknown ADDRESS ENCODING TIMES
 *   done
 *
 * with any number of lines in the middle. ROOT and FUNCTION are places in the setup file's list of
 * functions, -1 for none: what FUNCTION itself cost while ROOT was the root function that ran
 * last. FLASH_LOADS are words or parts of words, MISSES lines of the instruction cache. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "line_cache.h"
#include "qemu_plugin_api.h"

PLUGIN_EXPORT int qemu_plugin_version = TINYFLOW_PLUGIN_API;

typedef struct {
    uint64_t instructions;
    uint64_t cycles;
    uint64_t taken;
    uint64_t flash_loads;
    uint64_t misses;
} counters;

static struct {
    setup given;
    FILE *result;
    line_cache cache;
    counters *table;  /* [root][function], both with one more row for none */
    bool active;
    uint32_t root;    /* the root function that ran last */
    block *previous;  /* NULL at the start of an inference */
    block *touched;   /* blocks with executions that are not in the table yet */
} run;

static counters *cell(uint32_t function)
{
    return &run.table[(size_t)run.root * (run.given.function_count + 1u) + function];
}

static void add_segment(const segment *part, uint64_t executions)
{
    counters *to = cell(part->function);
    to->instructions += executions * part->instructions;
    to->cycles += executions * part->cycles;
}

static void collect(void)
{
    while (run.touched != NULL) {
        block *each = run.touched;
        run.touched = each->next_touched;
        block_collect(each, add_segment);
    }
}

static void begin_inference(void)
{
    const size_t side = run.given.function_count + 1u;
    memset(run.table, 0, side * side * sizeof *run.table);
    line_cache_clear(&run.cache);
    run.root = run.given.function_count;
    run.previous = NULL;
    run.active = true;
}

static long place(uint32_t function)
{
    return function < run.given.function_count ? (long)function : -1L;
}

static void write_unknown(const unknown_site *site)
{
    fprintf(run.result, "unknown 0x%" PRIx64 " 0x%08" PRIx32 " %" PRIu64 "\n", site->address,
            site->bits, site->times);
}

static void end_inference(void)
{
    const uint32_t last = run.given.function_count;
    collect();
    run.active = false;
    fprintf(run.result, "inference\n");
    for (run.root = 0; run.root <= last; run.root++) {
        for (uint32_t function = 0; function <= last; function++) {
            const counters *c = cell(function);
            if (c->instructions != 0) {
                fprintf(run.result,
                        "count %ld %ld %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                        "\n",
                        place(run.root), place(function), c->instructions, c->cycles, c->taken,
                        c->flash_loads, c->misses);
            }
        }
    }
    block_visit_unknown(write_unknown);
    fprintf(run.result, "done\n");
    fflush(run.result);
}

/* What going from the previous block to this one costs. */
static void cross(const block *from, const block *to)
{
    const timing *model = &run.given.model;
    if (to->start != from->end) {
        if (from->last.jumps) {
            counters *c = cell(from->last_function);
            c->taken++;
            c->cycles += timing_taken(model, &from->last, to->start, to->first.bytes);
        }
    } else if (timing_looks_back(&to->first)) {
        counters *c = cell(to->segments[0].function);
        c->cycles += timing_cycles(model, &to->first, &from->predecessor);
        c->cycles -= timing_cycles(model, &to->first, NULL);
    }
}

static void on_execute(unsigned int cpu, void *user)
{
    block *now = user;
    (void)cpu;
    if (!run.active) {
        if (now->start == run.given.begin) {
            begin_inference();
        }
        return;
    }
    if (run.previous != NULL) {
        cross(run.previous, now);
    }
    if (now->start == run.given.end) {
        end_inference();
        return;
    }
    if (now->root != run.root && now->root != run.given.function_count) {
        collect();
        run.root = now->root;
    }
    if (now->executions++ == 0) {
        now->next_touched = run.touched;
        run.touched = now;
    }
    if (now->in_flash) {
        cell(now->segments[0].function)->misses
            += line_cache_fetch(&run.cache, now->start, now->end);
    }
    run.previous = now;
}

static void on_access(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address, void *user)
{
    const access_site *site = user;
    (void)cpu;
    if (!run.active) {
        return;
    }
    const uint32_t bytes = 1u << qemu_plugin_mem_size_shift(info);
    const uint32_t words = bytes > 4u ? bytes / 4u : 1u;
    counters *c = cell(site->function);
    c->cycles += (uint64_t)site->cycles_per_word * words;
    if (site->single) {
        c->cycles += timing_unaligned(&run.given.model, address, bytes);
    }
    if (!qemu_plugin_mem_is_store(info)
        && address - run.given.flash_start < run.given.flash_bytes) {
        c->flash_loads += words;
    }
}

static void read_code(const struct qemu_plugin_insn *instruction, uint16_t code[2])
{
    uint8_t bytes[4] = {0};
    const size_t size = qemu_plugin_insn_size(instruction);
    const size_t wanted = size < sizeof bytes ? size : sizeof bytes;
#if TINYFLOW_PLUGIN_API >= 3
    qemu_plugin_insn_data(instruction, bytes, wanted);
#else
    memcpy(bytes, qemu_plugin_insn_data(instruction), wanted);
#endif
    code[0] = (uint16_t)(bytes[0] | bytes[1] << 8);
    code[1] = (uint16_t)(bytes[2] | bytes[3] << 8);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *translated)
{
    const size_t count = qemu_plugin_tb_n_insns(translated);
    uint16_t(*code)[2] = calloc(count + 1u, sizeof *code);
    (void)id;
    for (size_t i = 0; code != NULL && i < count; i++) {
        read_code(qemu_plugin_tb_get_insn(translated, i), code[i]);
    }
    block *made = code == NULL ? NULL
                               : block_make(&run.given, qemu_plugin_tb_vaddr(translated),
                                            (const uint16_t(*)[2])code, (uint32_t)count);
    free(code);
    if (made == NULL) {
        fprintf(stderr, "profiler: out of memory\n");
        exit(EXIT_FAILURE);
    }
    qemu_plugin_register_vcpu_tb_exec_cb(translated, on_execute, QEMU_PLUGIN_CB_NO_REGS, made);
    for (size_t i = 0; i < count; i++) {
        qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(translated, i), on_access,
                                         QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW,
                                         &made->accesses[i]);
    }
}

static const char *argument(int argc, char **argv, const char *name)
{
    const size_t length = strlen(name);
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], name, length) == 0 && argv[i][length] == '=') {
            return argv[i] + length + 1;
        }
    }
    return NULL;
}

PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info,
                                      int argc, char **argv)
{
    const char *result = argument(argc, argv, "result");
    (void)info;
    if (!setup_read(&run.given, argument(argc, argv, "setup"))) {
        return -1;
    }
    const size_t side = run.given.function_count + 1u;
    run.table = calloc(side * side, sizeof *run.table);
    run.result = result != NULL ? fopen(result, "w") : NULL;
    if (run.result == NULL || run.table == NULL
        || !line_cache_init(&run.cache, run.given.cache_bytes, run.given.line_bytes)) {
        fprintf(stderr, "profiler: no memory, or the result file cannot be written\n");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    return 0;
}
