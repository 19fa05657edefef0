/* From reset to main() on any Cortex-M, and out again through semihosting. */
#include <stdint.h>

#include "platform.h"

extern uint32_t __stack_top[];
extern uint32_t __data_load[];
extern uint32_t __data_start[];
extern uint32_t __data_end[];
extern uint32_t __bss_start[];
extern uint32_t __bss_end[];

int main(void);
void reset_handler(void);
void fault_handler(void);
void report_fault(const uint32_t *frame);

enum { SYS_EXIT_EXTENDED = 0x20 };
enum { FAULT_EXIT_CODE = 70 };

static const uint32_t STOPPED_APPLICATION_EXIT = 0x20026u;

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define CCR REGISTER(0xE000ED14u)
#define CFSR REGISTER(0xE000ED28u)
#define CPACR REGISTER(0xE000ED88u)

enum { CCR_UNALIGN_TRP = 1 << 3, CCR_LOB = 1 << 19 };

typedef void (*vector)(void);

/* No interrupt is enabled, so the exceptions of the core are the whole table. */
static const struct {
    uint32_t *stack;
    vector handlers[15];
} vectors __attribute__((section(".vectors"), used)) = {
    __stack_top,
    {reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
     fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
     fault_handler, fault_handler, fault_handler}};

__attribute__((noreturn)) static void leave(uint32_t code)
{
    const uint32_t parameters[2] = {STOPPED_APPLICATION_EXIT, code};
    register uint32_t r0 __asm__("r0") = SYS_EXIT_EXTENDED;
    register const uint32_t *r1 __asm__("r1") = parameters;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    for (;;) {
    }
}

__attribute__((noreturn)) void reset_handler(void)
{
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    /* Full access to the coprocessors 10 and 11, before the first floating-point instruction. */
    CPACR |= 0xFu << 20;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
#if defined(__ARM_FEATURE_MVE)
    CCR |= CCR_LOB;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
#if __ARM_ARCH < 7
    /* A larger core that stands in for an ARMv6-M must refuse what that one cannot do. */
    CCR |= CCR_UNALIGN_TRP;
#endif
    const uint32_t *source = __data_load;
    for (uint32_t *word = __data_start; word < __data_end; word++) {
        *word = *source++;
    }
    for (uint32_t *word = __bss_start; word < __bss_end; word++) {
        *word = 0;
    }
    leave((uint32_t)main());
}

static void print_hex(const char *label, uint32_t value)
{
    char text[12];
    text[0] = '0';
    text[1] = 'x';
    for (uint32_t i = 0; i < 8u; i++) {
        text[2u + i] = "0123456789abcdef"[(value >> (28u - 4u * i)) & 0xFu];
    }
    text[10] = '\n';
    text[11] = '\0';
    platform_print(label);
    platform_print(text);
}

/* `frame` is what the core pushed: r0 to r3, r12, lr, pc, xpsr. */
__attribute__((noreturn, used)) void report_fault(const uint32_t *frame)
{
    uint32_t exception;
    __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
    platform_print("fault: the core took an exception\n");
    print_hex("  exception ", exception);
    print_hex("  pc        ", frame[6]);
    print_hex("  lr        ", frame[5]);
    print_hex("  cfsr      ", CFSR);
    leave(FAULT_EXIT_CODE);
}

__attribute__((naked)) void fault_handler(void)
{
    __asm__ volatile("mrs r0, msp\n\t"
                     "ldr r1, =report_fault\n\t"
                     "bx r1\n\t"
                     ".ltorg");
}
