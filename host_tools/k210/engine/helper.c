/* What must be fast: counting instructions block by block, CSR reads, and an SPI bus with nothing on it.
 *
 * Unicorn calls these for every block of guest code and every access to the mapped pages. slow.py does the same in
 * Python where there is no C compiler; both must count alike. Compiled by native.py at first use.
 */
#include <stdint.h>
#include <string.h>

#define RAM_BASE 0x80000000ull
#define RAM_ALIAS 0x40000000ull
#define RAM_SIZE 0x00800000ull
#define NEVER UINT64_MAX

struct clock {
    uint64_t skipped;     /* cycles that passed without instructions */
    uint64_t numerator;   /* cycles an instruction takes, as a fraction */
    uint64_t denominator;
    uint64_t next_event;  /* cycle of the next event, or NEVER */
    uint64_t may_skip;    /* whether hart 1 has nothing to do, so that hart 0's waiting may pass at once */
    uint64_t first_count; /* instructions of hart 0 */
};

#include "delay_loop_state.h"
#include "idle_loop_state.h"

struct hart {
    uint64_t count;           /* instructions since power-on */
    uint64_t deadline;        /* stop before the block that begins at or behind this count */
    const uint8_t *ram;       /* host view of RAM_BASE */
    uint32_t *cache;          /* bytes << 12 | instructions of the block at each even address */
    uint64_t *profile;        /* instructions by block start, or NULL */
    int (*stop)(void *uc);    /* uc_emu_stop */
    int (*reg_read)(void *uc, int reg, void *value);
    uint64_t mstatus, mie;    /* Unicorn's numbers of these registers */
    uint64_t masked;          /* an interrupt waits for mstatus.MIE and mie: stop where it is enabled */
    uint64_t last_pc;         /* start of the last block */
    uint64_t low_pc, high_pc; /* blocks seen since it was set, to find a hart that spins */
    uint64_t number;
    uint64_t mip;             /* what a read of mip gives */
    uint64_t latch;           /* upper half of the counter that is being read */
    uint64_t wild;            /* program counter of the first access to page 0 that is no CSR */
    uint64_t *marks;          /* bit field: block starts to stop at, by half-word of RAM, or NULL */
    uint64_t marked;          /* the mark that it stopped at */
    uint64_t resumed;         /* the block to run although it is marked */
    uint64_t first;           /* whether it is hart 0, which is the clock */
    uint64_t touched;         /* a device was read or written since this was cleared */
    uint64_t rolled_back;     /* it stopped in order to take a jump in time back: run on at loop_pc */
    uint64_t stack_pointer;   /* Unicorn's number of that register */
    int (*context_save)(void *uc, void *context);
    void *context;            /* registers as they were before the jump */
    struct clock *clock;
    uint64_t first_register;  /* Unicorn's number of x1 */
    int (*reg_read_batch)(void *uc, int *regs, void **values, int count);
    struct loop loop;
    struct idle_loop idle;
};

static uint64_t ram_offset(uint64_t address)
{
    if (address - RAM_BASE < RAM_SIZE) return address - RAM_BASE;
    if (address - RAM_ALIAS < RAM_SIZE) return address - RAM_ALIAS;
    return NEVER;
}

static uint32_t block_instructions(struct hart *h, uint64_t offset, uint32_t size)
{
    uint32_t entry = h->cache[offset >> 1], at = 0, count = 0;
    if (entry >> 12 == size && size) return entry & 0xfff;
    while (at < size && offset + at + 2 <= RAM_SIZE) {
        at += (h->ram[offset + at] & 3) == 3 ? 4 : 2;
        count++;
    }
    h->cache[offset >> 1] = size << 12 | count;
    return count;
}

static int is_marked(struct hart *h, uint64_t offset)
{
    return h->marks[offset >> 7] >> (offset >> 1 & 63) & 1;
}

static uint64_t now(struct clock *c)
{
    return c->first_count * c->numerator / c->denominator + c->skipped;
}

#include "pure_code.h"
#include "idle_loops.h"
#include "delay_loops.h"

static int may_interrupt(void *uc, struct hart *h)
{
    uint64_t status = 0, enabled = 0;
    h->reg_read(uc, (int)h->mstatus, &status);
    if (!(status & 8)) return 0;
    h->reg_read(uc, (int)h->mie, &enabled);
    return (enabled & h->mip) != 0;
}

void k210_block(void *uc, uint64_t address, uint32_t size, void *user)
{
    struct hart *h = user;
    uint64_t offset = ram_offset(address);
    uint32_t count = size / 4;

    if (h->masked && may_interrupt(uc, h)) h->deadline = 0;
    if (h->count >= h->deadline) {
        h->stop(uc);
        return;
    }
    if (offset != NEVER) {
        if (h->marks && is_marked(h, offset) && h->resumed != address) {
            h->marked = address;
            h->deadline = 0;
            h->stop(uc);
            return;
        }
        count = block_instructions(h, offset, size);
        if (h->profile) h->profile[offset >> 1] += count;
    }
    if (h->loop.state == RECORDED || h->loop.state == PROVEN) {
        if (follow_loop(uc, h, address)) {
            h->stop(uc);
            return;
        }
    }
    watch_for_idling(uc, h, address);
    h->resumed = 0;
    h->count += count;
    if (h->first) h->clock->first_count = h->count;
    h->last_pc = address;
    if (address < h->low_pc) h->low_pc = address;
    if (address > h->high_pc) h->high_pc = address;
}

/* Lets time pass, but never beyond the next event. */
static void pass(struct hart *h, uint64_t cycles)
{
    struct clock *c = h->clock;
    uint64_t here = now(c);
    if (c->next_event <= here) cycles = 0;
    else if (c->next_event != NEVER && cycles > c->next_event - here) cycles = c->next_event - here;
    c->skipped += cycles;
    if (here + cycles >= c->next_event) h->deadline = 0;
}

/* Page 0: CSR reads, rewritten to loads. The numbers are those of csr.py. */
uint64_t k210_csr_read(void *uc, uint64_t offset, unsigned size, void *user)
{
    struct hart *h = user;
    uint64_t value = 0;
    (void)uc; (void)size;
    if (offset & 4) return h->latch >> 32;
    /* Who looks at a counter sees that time passes. */
    if (offset == 0x100 || offset == 0x108 || offset == 0x110) rest_from_idle(h, IDLE_REST);
    switch (offset) {
    case 0x100: value = read_cycle(h); break;
    case 0x108: value = h->count; break;
    case 0x110: value = read_cycle(h) / 50; break;
    case 0x118: value = h->mip; break;
    case 0x120: value = h->number; break;
    case 0x128: break;
    default:
        if (!h->wild) h->wild = h->last_pc;
    }
    h->latch = value;
    return value & 0xffffffff;
}

void k210_csr_write(void *uc, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    struct hart *h = user;
    (void)uc; (void)offset; (void)size; (void)value;
    if (!h->wild) h->wild = h->last_pc;
}

#include "idle_spi.h"
