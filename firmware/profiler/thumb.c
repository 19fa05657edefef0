#include "thumb.h"

#define THUMB_NAME(name, text) text,
const char *const thumb_class_names[THUMB_CLASS_COUNT] = {THUMB_CLASSES(THUMB_NAME)};
#undef THUMB_NAME

enum { SP = 13, PC = 15 };

/* Where an encoding names its registers; bits are those of the half-word, or of both half-words
 * with the first one on top. */
typedef enum {
    NONE,
    RD0,         /* result 2:0 */
    RD8,         /* result 10:8 */
    RD_HIGH,     /* result 7 and 2:0, perhaps the program counter */
    RD_SP,       /* the result is the stack pointer */
    MEM_RN3,     /* data 2:0, base 5:3 */
    MEM_RN3_RM6, /* data 2:0, base 5:3, index 8:6 */
    MEM_SP,      /* data 10:8, base is the stack pointer */
    MEM_PC,      /* data 10:8, base is the program counter */
    LIST_SP,     /* registers 7:0 and in bit 8 lr or pc, base is the stack pointer */
    LIST_RN8,    /* registers 7:0, base 10:8 */
    IF_THEN,     /* an IT, or a hint where it would cover no instruction */
    W_RD8,       /* result 11:8, none where that is 15 */
    W_RD8_RD12,  /* results 11:8 and 15:12 */
    W_RT12,      /* result 15:12, none where that is 15 */
    W_RT12_RT16, /* results 15:12 and 19:16 */
    W_MEM,       /* data 15:12, base 19:16, index 3:0 in the form with one */
    W_MEM_RN16,  /* data 15:12, base 19:16 */
    W_PAIR,      /* data 15:12 and 11:8, base 19:16 */
    W_LIST,      /* registers 15:0, base 19:16 */
    W_TABLE,     /* base 19:16, index 3:0 */
    W_RN16,      /* base 19:16 */
    W_COUNT      /* base 19:16, number of words 7:0 */
} form;

typedef struct {
    uint32_t mask;
    uint32_t value;
    thumb_class kind;
    form registers;
} rule;

/* The first rule that fits counts. */
static const rule narrow_rules[] = {
    {0xF800, 0x2000, THUMB_ALU, RD8},              /* MOVS imm */
    {0xF800, 0x2800, THUMB_ALU, NONE},             /* CMP imm */
    {0xF000, 0x3000, THUMB_ALU, RD8},              /* ADDS, SUBS imm8 */
    {0xE000, 0x0000, THUMB_ALU, RD0},              /* shifts, ADDS, SUBS */
    {0xFFC0, 0x4200, THUMB_ALU, NONE},             /* TST */
    {0xFF80, 0x4280, THUMB_ALU, NONE},             /* CMP, CMN */
    {0xFFC0, 0x4340, THUMB_MULTIPLY, RD0},         /* MULS */
    {0xFC00, 0x4000, THUMB_ALU, RD0},              /* data processing */
    {0xFF00, 0x4500, THUMB_ALU, NONE},             /* CMP high */
    {0xFF00, 0x4700, THUMB_BRANCH_INDIRECT, NONE}, /* BX, BLX */
    {0xFC00, 0x4400, THUMB_ALU, RD_HIGH},          /* ADD, MOV high */
    {0xF800, 0x4800, THUMB_LOAD, MEM_PC},          /* LDR literal */
    {0xFE00, 0x5600, THUMB_LOAD, MEM_RN3_RM6},     /* LDRSB */
    {0xF800, 0x5000, THUMB_STORE, MEM_RN3_RM6},    /* STR, STRH, STRB */
    {0xF800, 0x5800, THUMB_LOAD, MEM_RN3_RM6},     /* LDR, LDRH, LDRB, LDRSH */
    {0xE800, 0x6000, THUMB_STORE, MEM_RN3},        /* STR, STRB imm */
    {0xE800, 0x6800, THUMB_LOAD, MEM_RN3},         /* LDR, LDRB imm */
    {0xF800, 0x8000, THUMB_STORE, MEM_RN3},        /* STRH imm */
    {0xF800, 0x8800, THUMB_LOAD, MEM_RN3},         /* LDRH imm */
    {0xF800, 0x9000, THUMB_STORE, MEM_SP},         /* STR sp */
    {0xF800, 0x9800, THUMB_LOAD, MEM_SP},          /* LDR sp */
    {0xF000, 0xA000, THUMB_ALU, RD8},              /* ADR, ADD sp */
    {0xFF00, 0xB000, THUMB_ALU, RD_SP},            /* ADD, SUB sp */
    {0xF500, 0xB100, THUMB_BRANCH, NONE},          /* CBZ, CBNZ */
    {0xFF00, 0xB200, THUMB_ALU, RD0},              /* SXTH to UXTB */
    {0xFE00, 0xB400, THUMB_STORE_MULTIPLE, LIST_SP}, /* PUSH */
    {0xFE00, 0xBC00, THUMB_LOAD_MULTIPLE, LIST_SP},  /* POP */
    {0xFF00, 0xB600, THUMB_SYSTEM, NONE},          /* CPS */
    {0xFFC0, 0xBA80, THUMB_SYSTEM, NONE},          /* HLT */
    {0xFF00, 0xBA00, THUMB_ALU, RD0},              /* REV and its kin */
    {0xFF00, 0xBE00, THUMB_SYSTEM, NONE},          /* BKPT */
    {0xFF00, 0xBF00, THUMB_IT, IF_THEN},           /* IT, NOP and its kin */
    {0xF800, 0xC000, THUMB_STORE_MULTIPLE, LIST_RN8},
    {0xF800, 0xC800, THUMB_LOAD_MULTIPLE, LIST_RN8},
    {0xFE00, 0xDE00, THUMB_SYSTEM, NONE},          /* UDF, SVC */
    {0xF000, 0xD000, THUMB_BRANCH, NONE},          /* B conditional */
    {0xF800, 0xE000, THUMB_BRANCH, NONE},          /* B */
};

static const rule wide_rules[] = {
    /* Loads and stores of several words, exclusive ones, table branches. */
    {0xFFFFFFFF, 0xE97FE97F, THUMB_SYSTEM, NONE},      /* SG */
    {0xFFD00000, 0xE8800000, THUMB_STORE_MULTIPLE, W_LIST}, /* STMIA */
    {0xFFFF0000, 0xE89F0000, THUMB_ALU, NONE},         /* CLRM */
    {0xFFD00000, 0xE8900000, THUMB_LOAD_MULTIPLE, W_LIST},  /* LDMIA */
    {0xFFD00000, 0xE9000000, THUMB_STORE_MULTIPLE, W_LIST}, /* STMDB */
    {0xFFD00000, 0xE9100000, THUMB_LOAD_MULTIPLE, W_LIST},  /* LDMDB */
    {0xFFF0FFE0, 0xE8D0F000, THUMB_TABLE_BRANCH, W_TABLE},  /* TBB, TBH */
    {0xFFF0F03F, 0xE840F000, THUMB_SYSTEM, W_RD8},     /* TT */
    {0xFFF00000, 0xE8400000, THUMB_STORE, W_MEM_RN16}, /* STREX */
    {0xFFF00000, 0xE8500000, THUMB_LOAD, W_MEM_RN16},  /* LDREX */
    {0xFFF00000, 0xE8C00000, THUMB_STORE, W_MEM_RN16}, /* STREXB, STREXH, STL */
    {0xFFF00000, 0xE8D00000, THUMB_LOAD, W_MEM_RN16},  /* LDREXB, LDREXH, LDA */
    {0xFE500000, 0xE8400000, THUMB_STORE_DOUBLE, W_PAIR},
    {0xFE500000, 0xE8500000, THUMB_LOAD_DOUBLE, W_PAIR},
    {0xFE000000, 0xEA000000, THUMB_ALU, W_RD8},        /* data processing, shifted register */

    /* Floating point. */
    {0xFFF00E00, 0xEC500A00, THUMB_FP_MOVE_DOUBLE, W_RT12_RT16}, /* VMOV to two registers */
    {0xFFF00E00, 0xEC400A00, THUMB_FP_MOVE_DOUBLE, NONE},        /* VMOV from two registers */
    {0xFF300F00, 0xED100A00, THUMB_FP_LOAD, W_RN16},
    {0xFF300F00, 0xED100B00, THUMB_FP_LOAD_DOUBLE, W_RN16},
    {0xFF300F00, 0xED000A00, THUMB_FP_STORE, W_RN16},
    {0xFF300F00, 0xED000B00, THUMB_FP_STORE_DOUBLE, W_RN16},
    {0xFE100E00, 0xEC100A00, THUMB_FP_LOAD_MULTIPLE, W_COUNT},
    {0xFE100E00, 0xEC000A00, THUMB_FP_STORE_MULTIPLE, W_COUNT},
    {0xFF100E10, 0xEE100A10, THUMB_FP_MOVE, W_RT12},   /* VMOV to a register, VMRS */
    {0xFF100E10, 0xEE000A10, THUMB_FP_MOVE, NONE},     /* VMOV from a register, VMSR */
    {0xFFA00E10, 0xEE000A00, THUMB_FP_MULTIPLY_ADD, NONE}, /* VMLA, VMLS, VNMLA, VNMLS */
    {0xFFA00E10, 0xEE200A00, THUMB_FP_ALU, NONE},      /* VMUL, VNMUL, VADD, VSUB */
    {0xFFB00E10, 0xEE800A00, THUMB_FP_DIVIDE, NONE},   /* VDIV */
    {0xFFB00E10, 0xEE900A00, THUMB_FP_MULTIPLY_ADD, NONE}, /* VFNMA, VFNMS */
    {0xFFB00E10, 0xEEA00A00, THUMB_FP_MULTIPLY_ADD, NONE}, /* VFMA, VFMS */
    {0xFFBF0ED0, 0xEEB10AC0, THUMB_FP_DIVIDE, NONE},   /* VSQRT */
    {0xFFB00E10, 0xEEB00A00, THUMB_FP_ALU, NONE},      /* VMOV, VABS, VNEG, VCMP, VCVT */
    {0xFF000E10, 0xFE000A00, THUMB_FP_ALU, NONE},      /* VSEL, VMAXNM, VMINNM, VRINT */

    /* The vector extension; on cores without it, none of these is reached. */
    {0xFFA01FE0, 0xEC000F00, THUMB_VECTOR, NONE}, /* VMOV of two lanes */
    {0xEE100E00, 0xEC100E00, THUMB_VECTOR_LOAD, W_RN16},
    {0xEE100E00, 0xEC000E00, THUMB_VECTOR_STORE, W_RN16},
    {0xEC000000, 0xEC000000, THUMB_VECTOR, NONE},

    /* Data processing with immediates, branches, system instructions. */
    {0xF8008000, 0xF0000000, THUMB_ALU, W_RD8},
    {0xFFC0FFFF, 0xF000E801, THUMB_VECTOR, NONE},      /* VCTP */
    {0xF800D001, 0xF000C001, THUMB_LOOP, NONE},        /* DLS, WLS, LE */
    {0xF800D000, 0xF000D000, THUMB_CALL, NONE},        /* BL */
    {0xF800D000, 0xF0009000, THUMB_BRANCH, NONE},      /* B */
    {0xFFE0D000, 0xF3808000, THUMB_SYSTEM, NONE},      /* MSR */
    {0xFFF0D000, 0xF3A08000, THUMB_HINT, NONE},        /* NOP and its kin */
    {0xFFF0D000, 0xF3B08000, THUMB_BARRIER, NONE},     /* DMB, DSB, ISB, CLREX */
    {0xFFE0D000, 0xF3E08000, THUMB_SYSTEM, W_RD8},     /* MRS */
    {0xFFF0F000, 0xF7F0A000, THUMB_SYSTEM, NONE},      /* UDF */
    {0xFB80D000, 0xF3808000, THUMB_UNKNOWN, NONE},
    {0xF800D000, 0xF0008000, THUMB_BRANCH, NONE},      /* B conditional */

    /* Loads and stores of up to a word. */
    {0xFF100000, 0xF8000000, THUMB_STORE, W_MEM},
    {0xFE100000, 0xF8100000, THUMB_LOAD, W_MEM},

    /* Data processing with registers, multiplication, division. */
    {0xFF00F000, 0xFA00F000, THUMB_ALU, W_RD8},
    {0xFFF0F0F0, 0xFB00F000, THUMB_MULTIPLY, W_RD8},
    {0xFFF000E0, 0xFB000000, THUMB_MULTIPLY_ADD, W_RD8},   /* MLA, MLS */
    {0xFF800000, 0xFB000000, THUMB_MULTIPLY_DSP, W_RD8},   /* SMLABB to USADA8 */
    {0xFFD000F0, 0xFB800000, THUMB_MULTIPLY_LONG, W_RD8_RD12}, /* SMULL, UMULL */
    {0xFFD0F0F0, 0xFB90F0F0, THUMB_DIVIDE, W_RD8},
    {0xFFC00000, 0xFBC00000, THUMB_MULTIPLY_ADD_LONG, W_RD8_RD12}, /* SMLAL to UMAAL */
};

static uint32_t field(uint32_t bits, unsigned at, unsigned width)
{
    return (bits >> at) & ((1u << width) - 1u);
}

static uint16_t one(uint32_t number)
{
    return (uint16_t)(1u << number);
}

static uint8_t count_bits(uint32_t bits)
{
    uint8_t count = 0;
    for (; bits != 0; bits &= bits - 1u) {
        count++;
    }
    return count;
}

static bool is_load(thumb_class kind)
{
    return kind == THUMB_LOAD || kind == THUMB_LOAD_DOUBLE || kind == THUMB_LOAD_MULTIPLE;
}

/* The registers that move between memory and the core. */
static void moves(thumb_instruction *result, uint32_t registers)
{
    if (is_load(result->kind)) {
        result->loaded = (uint16_t)registers;
        result->jumps = (registers & one(PC)) != 0;
    }
}

static void narrow_registers(thumb_instruction *result, form registers, uint32_t bits)
{
    switch (registers) {
    case RD0:
        result->computed = one(field(bits, 0, 3));
        break;
    case RD8:
        result->computed = one(field(bits, 8, 3));
        break;
    case RD_HIGH: {
        const uint32_t number = field(bits, 7, 1) << 3 | field(bits, 0, 3);
        if (number == PC) {
            result->kind = THUMB_BRANCH_INDIRECT;
        } else {
            result->computed = one(number);
        }
        break;
    }
    case RD_SP:
        result->computed = one(SP);
        break;
    case MEM_RN3:
        result->address = one(field(bits, 3, 3));
        moves(result, one(field(bits, 0, 3)));
        break;
    case MEM_RN3_RM6:
        result->address = (uint16_t)(one(field(bits, 3, 3)) | one(field(bits, 6, 3)));
        moves(result, one(field(bits, 0, 3)));
        break;
    case MEM_SP:
        result->address = one(SP);
        moves(result, one(field(bits, 8, 3)));
        break;
    case MEM_PC:
        moves(result, one(field(bits, 8, 3)));
        break;
    case LIST_SP: {
        const uint32_t list = field(bits, 0, 8) | field(bits, 8, 1) << PC;
        result->address = one(SP);
        result->words = count_bits(list);
        moves(result, list);
        break;
    }
    case LIST_RN8:
        result->address = one(field(bits, 8, 3));
        result->words = count_bits(field(bits, 0, 8));
        moves(result, field(bits, 0, 8));
        break;
    case IF_THEN: {
        const uint32_t mask = field(bits, 0, 4);
        if (mask == 0) {
            result->kind = THUMB_HINT;
        }
        for (uint8_t length = 1; length <= 4; length++) {
            if ((mask << length & 0xFu) == 0 && mask != 0) {
                result->it_length = length;
                break;
            }
        }
        break;
    }
    default:
        break;
    }
}

static uint16_t unless_pc(uint32_t number)
{
    return number == PC ? 0 : one(number);
}

/* A load or store of one register in the space 0xF8 to 0xF9. */
static void wide_memory(thumb_instruction *result, uint32_t bits)
{
    const uint32_t data = field(bits, 12, 4);
    const bool indexed = field(bits, 16, 4) != PC && field(bits, 23, 1) == 0
                         && field(bits, 11, 1) == 0;
    result->address = unless_pc(field(bits, 16, 4));
    if (indexed) {
        result->address |= one(field(bits, 0, 4));
    }
    if (result->kind == THUMB_LOAD && data == PC && field(bits, 21, 2) != 2) {
        result->kind = THUMB_HINT; /* PLD, PLI */
        return;
    }
    moves(result, one(data));
}

static void wide_registers(thumb_instruction *result, form registers, uint32_t bits)
{
    const uint16_t base = unless_pc(field(bits, 16, 4));
    switch (registers) {
    case W_RD8:
        result->computed = unless_pc(field(bits, 8, 4));
        break;
    case W_RD8_RD12:
        result->computed = (uint16_t)(one(field(bits, 8, 4)) | one(field(bits, 12, 4)));
        break;
    case W_RT12:
        result->computed = unless_pc(field(bits, 12, 4));
        break;
    case W_RT12_RT16:
        result->computed = (uint16_t)(one(field(bits, 12, 4)) | one(field(bits, 16, 4)));
        break;
    case W_MEM:
        wide_memory(result, bits);
        break;
    case W_MEM_RN16:
        result->address = base;
        moves(result, one(field(bits, 12, 4)));
        break;
    case W_PAIR:
        result->address = base;
        result->words = 2;
        moves(result, (uint32_t)(one(field(bits, 12, 4)) | one(field(bits, 8, 4))));
        break;
    case W_LIST:
        result->address = base;
        result->words = count_bits(field(bits, 0, 16));
        moves(result, field(bits, 0, 16));
        break;
    case W_TABLE:
        result->address = (uint16_t)(base | one(field(bits, 0, 4)));
        break;
    case W_RN16:
        result->address = base;
        break;
    case W_COUNT:
        result->address = base;
        result->words = (uint8_t)field(bits, 0, 8);
        break;
    default:
        break;
    }
}

static const rule *find(const rule *rules, size_t count, uint32_t bits)
{
    for (size_t i = 0; i < count; i++) {
        if ((bits & rules[i].mask) == rules[i].value) {
            return &rules[i];
        }
    }
    return NULL;
}

bool thumb_is_wide(uint16_t first)
{
    return first >= 0xE800u;
}

thumb_instruction thumb_decode(uint16_t first, uint16_t second)
{
    const bool wide = thumb_is_wide(first);
    const uint32_t bits = wide ? (uint32_t)first << 16 | second : first;
    const rule *found = wide ? find(wide_rules, sizeof wide_rules / sizeof *wide_rules, bits)
                             : find(narrow_rules, sizeof narrow_rules / sizeof *narrow_rules, bits);
    thumb_instruction result = {.kind = THUMB_UNKNOWN, .bytes = wide ? 4 : 2};
    if (found != NULL) {
        result.kind = found->kind;
        if (wide) {
            wide_registers(&result, found->registers, bits);
        } else {
            narrow_registers(&result, found->registers, bits);
        }
    }
    switch (result.kind) {
    case THUMB_BRANCH:
    case THUMB_CALL:
    case THUMB_BRANCH_INDIRECT:
    case THUMB_TABLE_BRANCH:
    case THUMB_LOOP:
        result.jumps = true;
        break;
    default:
        break;
    }
    return result;
}
