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

/* A delay loop reads the counter at the same place, the same number of instructions apart, so many times in a row. */
#define LOOP_INSTRUCTIONS 4096
#define LOOP_TURNS 8
#define LOOP_BLOCKS 1024
/* Bytes of stack on both sides of the stack pointer that are put back with the registers. */
#define LOOP_STACK 1024

struct clock {
    uint64_t skipped;     /* cycles that passed without instructions */
    uint64_t numerator;   /* cycles an instruction takes, as a fraction */
    uint64_t denominator;
    uint64_t next_event;  /* cycle of the next event, or NEVER */
    uint64_t may_skip;    /* whether hart 1 has nothing to do, so that hart 0's waiting may pass at once */
    uint64_t first_count; /* instructions of hart 0 */
};

/* The delay loop that a hart may be in. A loop that only reads memory and the counter, and writes only its stack, ends
 * at the same turn whether its turns are run or not: time jumps by whole turns. Where a jump was too long (the loop
 * leaves its path), registers, stack and time are put back, and the jump is halved: what follows is what would have
 * followed without any jump. */
enum { WATCHED, RECORDED, PROVEN, REFUSED };

struct loop {
    uint64_t pc, step, count; /* block that reads the counter; instructions of a turn; instructions at the last read */
    uint64_t turns, state;
    uint64_t length, at;      /* blocks of a turn, and the one that comes next */
    uint64_t jump, falling;   /* turns that the next read jumps over; whether a jump was too long already */
    uint64_t jumped;          /* cycles that the last read jumped over */
    uint64_t saved_count, saved_sp, saved_read;
    uint64_t path[LOOP_BLOCKS];
    uint8_t stack[2 * LOOP_STACK];
};

struct hart {
    uint64_t count;           /* instructions since power-on */
    uint64_t deadline;        /* stop before the block that begins at or behind this count */
    const uint8_t *ram;       /* host view of RAM_BASE */
    uint32_t *cache;          /* bytes << 12 | instructions of the block at each even address */
    uint64_t *profile;        /* instructions by block start, or NULL */
    int (*stop)(void *uc);    /* uc_emu_stop */
    int (*reg_read)(void *uc, int reg, void *value);
    uint64_t mstatus;         /* Unicorn's number of that register */
    uint64_t masked;          /* an interrupt waits for mstatus.MIE: stop where it is set */
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
    struct loop loop;
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

static uint64_t now(struct clock *c)
{
    return c->first_count * c->numerator / c->denominator + c->skipped;
}

static void forget_loop(struct loop *l)
{
    l->state = WATCHED;
    l->turns = l->jump = l->jumped = l->falling = 0;
}

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

static int loop_is_pure(struct hart *h)
{
    struct loop *l = &h->loop;
    uint64_t n;
    for (n = 0; n < l->length; n++) {
        uint64_t at = ram_offset(l->path[n]), end;
        if (at == NEVER) return 0;
        end = at + (h->cache[at >> 1] >> 12);
        while (at < end) {
            uint32_t word;
            memcpy(&word, h->ram + at, 4);
            if (!is_pure(word)) return 0;
            at += (word & 3) == 3 ? 4 : 2;
        }
    }
    return 1;
}

static void save_turn(void *uc, struct hart *h)
{
    struct loop *l = &h->loop;
    uint64_t at;
    l->saved_count = h->count;
    h->reg_read(uc, (int)h->stack_pointer, &l->saved_sp);
    at = ram_offset(l->saved_sp);
    if (at == NEVER || at < LOOP_STACK || at + LOOP_STACK > RAM_SIZE) {
        l->state = REFUSED;
        return;
    }
    memcpy(l->stack, h->ram + at - LOOP_STACK, sizeof l->stack);
    h->context_save(uc, h->context);
}

/* Takes the last jump back: true if there was one. */
static int take_back(struct hart *h)
{
    struct loop *l = &h->loop;
    if (!l->jumped || h->touched) return 0;
    memcpy((uint8_t *)h->ram + ram_offset(l->saved_sp) - LOOP_STACK, l->stack, sizeof l->stack);
    h->clock->skipped -= l->jumped;
    h->count = l->saved_count;
    h->clock->first_count = h->count;
    l->count = l->saved_read;
    l->at = l->length - 1;
    l->jumped = 0;
    l->falling = 1;
    l->jump /= 2;
    h->rolled_back = 1;
    return 1;
}

/* Follows the loop block by block; true where the engine has to stop, to go on at the loop's read. */
static int follow_loop(void *uc, struct hart *h, uint64_t address)
{
    struct loop *l = &h->loop;
    if (l->state == RECORDED) {
        if (l->length == LOOP_BLOCKS) l->state = REFUSED;
        else l->path[l->length++] = address;
        return 0;
    }
    if (l->state != PROVEN) return 0;
    if (l->at >= l->length || l->path[l->at] != address) {
        if (take_back(h)) return 1;
        forget_loop(l);
        return 0;
    }
    if (++l->at == l->length) save_turn(uc, h);
    return 0;
}

void k210_block(void *uc, uint64_t address, uint32_t size, void *user)
{
    struct hart *h = user;
    uint64_t offset = ram_offset(address);
    uint32_t count = size / 4;

    if (h->masked) {
        uint64_t status = 0;
        h->reg_read(uc, (int)h->mstatus, &status);
        if (status & 8) h->deadline = 0;
    }
    if (h->count >= h->deadline) {
        h->stop(uc);
        return;
    }
    if (offset != NEVER) {
        if (h->marks && (h->marks[offset >> 7] >> (offset >> 1 & 63) & 1) && h->resumed != address) {
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

/* Jumps over as many whole turns as may be, before the next event. */
static void jump(struct hart *h)
{
    struct loop *l = &h->loop;
    struct clock *c = h->clock;
    /* As many turns as the factor's denominator are a whole number of cycles. */
    uint64_t cycles = l->step * c->numerator, here = now(c), most = NEVER, leaps;
    /* The turn behind the jump must be over before the next event. */
    if (c->next_event != NEVER) most = c->next_event > here + 2 * cycles ? c->next_event - here - 2 * cycles : 0;
    if (!l->falling && l->jumped) l->jump *= 2;
    if (!l->jump && !l->falling) l->jump = 1;
    leaps = l->jump;
    if (leaps > most / cycles) leaps = most / cycles;
    l->jumped = leaps * cycles;
    c->skipped += l->jumped;
}

/* mcycle. */
static uint64_t read_cycle(struct hart *h)
{
    struct loop *l = &h->loop;
    uint64_t step = h->count - l->count;
    int again = step == l->step && step < LOOP_INSTRUCTIONS && h->last_pc == l->pc && h->first && h->context;
    l->saved_read = l->count;
    if (!again) {
        forget_loop(l);
    } else if (l->state == WATCHED && ++l->turns == LOOP_TURNS) {
        l->state = RECORDED;
        l->length = 0;
        h->touched = 0;
    } else if (l->state == RECORDED) {
        l->state = !h->touched && loop_is_pure(h) ? PROVEN : REFUSED;
    } else if (l->state == PROVEN && h->touched) {
        l->state = REFUSED;
    }
    l->at = 0;
    l->count = h->count;
    l->step = step;
    l->pc = h->last_pc;
    if (again && l->state == PROVEN && h->clock->may_skip) jump(h);
    else l->jumped = 0;
    return now(h->clock);
}

/* Page 0: CSR reads, rewritten to loads. The numbers are those of csr.py. */
uint64_t k210_csr_read(void *uc, uint64_t offset, unsigned size, void *user)
{
    struct hart *h = user;
    uint64_t value = 0;
    (void)uc; (void)size;
    if (offset & 4) return h->latch >> 32;
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

/* An SPI controller (DesignWare SSI, frame format 0) with nothing on its bus: the data line stays high. */
struct idle_spi {
    uint32_t registers[1024];
    uint32_t waiting;      /* frames in the receive FIFO */
    uint32_t sent;         /* frames written before a slave is selected */
    uint64_t clock_cycles; /* CPU cycles of one cycle of the controller's input clock */
    struct hart *hart;
};

static void idle_frames(struct idle_spi *s, uint32_t frames)
{
    uint32_t bits = (s->registers[0] >> 16 & 31) + 1, divider = s->registers[5] & 0xfffe;
    pass(s->hart, (uint64_t)frames * bits * (divider ? divider : 2) * s->clock_cycles);
}

uint64_t k210_idle_spi_read(void *uc, uint64_t offset, unsigned size, void *user)
{
    struct idle_spi *s = user;
    uint32_t bits = (s->registers[0] >> 16 & 31) + 1;
    (void)uc; (void)size;
    s->hart->touched = 1;
    switch (offset) {
    case 0x20: return 0;
    case 0x24: return s->waiting < 32 ? s->waiting : 32;
    case 0x28: return 0x06 | (s->waiting ? 8 : 0);
    }
    if (offset >= 0x60 && offset < 0xf0) {
        if (!s->waiting) return 0;
        s->waiting--;
        return bits == 32 ? 0xffffffffu : (1u << bits) - 1;
    }
    return s->registers[offset >> 2 & 1023];
}

void k210_idle_spi_write(void *uc, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    struct idle_spi *s = user;
    uint32_t mode = s->registers[0] >> 8 & 3, active = (s->registers[2] & 1) && s->registers[4], frames;
    (void)uc; (void)size;
    if (offset >= 0x60 && offset < 0xf0) {
        if (active) idle_frames(s, 1);
        if (mode == 0 && active) s->waiting++;
        else if (!active) s->sent++;
        return;
    }
    s->registers[offset >> 2 & 1023] = (uint32_t)value;
    if (offset == 0x08 && !(value & 1)) s->waiting = s->sent = 0;
    active = (s->registers[2] & 1) && s->registers[4];
    if (active && s->sent && (offset == 0x08 || offset == 0x10)) {
        frames = mode == 0 ? s->sent : mode >= 2 ? (s->registers[1] & 0xffff) + 1 : 0;
        s->waiting += frames;
        idle_frames(s, s->sent + (mode == 0 ? 0 : frames));
        s->sent = 0;
    }
}
