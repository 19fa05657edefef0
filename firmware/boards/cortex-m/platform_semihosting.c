/* The harness on a Cortex-M, through semihosting: the emulator or the debug probe carries out
 * what is asked for at each breakpoint 0xAB. Operation numbers and parameter blocks are those of
 * Arm's semihosting specification, version 2.0. */
#include "platform.h"

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06
};

enum { MODE_READ_BINARY = 1, MODE_WRITE_BINARY = 5 };

static const uint32_t PAINT = 0xC5A3C5A3u;
static const uintptr_t PAINT_MOST = 64u * 1024u;

extern uint32_t __stack_top[];
extern uint32_t __stack_limit[];

static volatile uint32_t *painted_from;

static uintptr_t semihosting(uint32_t operation, const void *parameters)
{
    register uintptr_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = parameters;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

/* Handles are small positive numbers; they travel as pointers that nobody follows. */
static uintptr_t handle_of(platform_file *file)
{
    return (uintptr_t)file;
}

platform_file *platform_open(const char *name, platform_mode mode)
{
    uintptr_t length = 0;
    while (name[length] != '\0') {
        length++;
    }
    const uintptr_t parameters[3] = {
        (uintptr_t)name, mode == PLATFORM_READ ? MODE_READ_BINARY : MODE_WRITE_BINARY, length};
    const uintptr_t handle = semihosting(SYS_OPEN, parameters);
    return handle == UINTPTR_MAX ? NULL : (platform_file *)handle;
}

size_t platform_read(platform_file *file, void *data, size_t size)
{
    const uintptr_t parameters[3] = {handle_of(file), (uintptr_t)data, size};
    const uintptr_t missing = semihosting(SYS_READ, parameters);
    return missing <= size ? size - missing : 0;
}

size_t platform_write(platform_file *file, const void *data, size_t size)
{
    const uintptr_t parameters[3] = {handle_of(file), (uintptr_t)data, size};
    const uintptr_t missing = semihosting(SYS_WRITE, parameters);
    return missing <= size ? size - missing : 0;
}

int platform_close(platform_file *file)
{
    const uintptr_t parameters[1] = {handle_of(file)};
    return semihosting(SYS_CLOSE, parameters) == 0 ? 0 : -1;
}

void platform_print(const char *text)
{
    semihosting(SYS_WRITE0, text);
}

/* Leaf code without calls: everything below its own stack pointer is free. */
__attribute__((noinline)) void platform_paint_stack(void)
{
    volatile uint32_t *word;
    __asm__ volatile("mov %0, sp" : "=r"(word));
    uintptr_t lowest = (uintptr_t)__stack_limit;
    if ((uintptr_t)word - lowest > PAINT_MOST) {
        lowest = (uintptr_t)word - PAINT_MOST;
    }
    while ((uintptr_t)word > lowest) {
        *--word = PAINT;
    }
    painted_from = word;
}

size_t platform_stack_bytes(void)
{
    volatile uint32_t *word = painted_from;
    while (word < __stack_top && *word == PAINT) {
        word++;
    }
    return (size_t)((uintptr_t)__stack_top - (uintptr_t)word);
}
