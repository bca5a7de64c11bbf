/* What is known of the delay loop that a hart may be in; `struct loop` of native.py mirrors it. */
/* A delay loop reads the counter at the same place, the same number of instructions apart, so many times in a row. */
#define LOOP_INSTRUCTIONS 4096
#define LOOP_TURNS 8
#define LOOP_BLOCKS 1024
/* Bytes of stack on both sides of the stack pointer that are put back with the registers. */
#define LOOP_STACK 1024

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
    uint64_t saved;           /* whether registers and stack were kept before the read of this turn */
    uint64_t saved_count, saved_sp, saved_read;
    uint64_t path[LOOP_BLOCKS];
    uint8_t stack[2 * LOOP_STACK];
};
