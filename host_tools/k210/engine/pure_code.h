/* What code may do to its surroundings, told from its instructions. Part of helper.c. */

/* Whether an instruction leaves everything but registers and stack as it is. */
static int is_pure(uint32_t word)
{
    uint32_t function = word >> 13 & 7;
    switch (word & 3) {
    case 0: return function < 4; /* the others store at an address in a register */
    case 1: return 1;
    case 2: return (word & 0xffff) != 0x9002; /* ebreak */
    }
    switch (word & 0x7f) {
    case 0x23: case 0x27: return (word >> 15 & 31) == 2; /* stores: relative to the stack pointer */
    case 0x2f: return 0;                                 /* atomic */
    case 0x73: return (word & 0xff07f) == 0x2073;        /* system: a CSR may be read */
    }
    return 1;
}

/* Whether every instruction of these blocks is of a kind. */
static int path_is(struct hart *h, const uint64_t *path, uint64_t length, int (*kind)(uint32_t word))
{
    uint64_t n;
    for (n = 0; n < length; n++) {
        uint64_t at = ram_offset(path[n]), end;
        if (at == NEVER) return 0;
        end = at + (h->cache[at >> 1] >> 12);
        while (at < end) {
            uint32_t word;
            memcpy(&word, h->ram + at, 4);
            if (!kind(word)) return 0;
            at += (word & 3) == 3 ? 4 : 2;
        }
    }
    return 1;
}
