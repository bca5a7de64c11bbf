/* What is known of the idle loop that a hart may be in; `struct idle_loop` of native.py mirrors it. */
/* An idle loop has so many blocks and instructions a turn at most. */
#define IDLE_BLOCKS 64
#define IDLE_INSTRUCTIONS 1024
/* Blocks without a turn of the watched loop until another one is watched; and after one that proved to be none. */
#define IDLE_PATIENCE 64
#define IDLE_REST 512
#define IDLE_REGISTERS 32

/* A loop that begins a turn with the registers and the stack that it began the last one with, and has meanwhile written
 * nothing else and used no device and no counter, does the same for ever: until an interrupt comes, or somebody else
 * writes what it reads. Both happen between slices only, so that all of its turns up to the end of the slice are
 * counted without being run. */
enum { UNSEEN, FOLLOWED };

struct idle_loop {
    uint64_t head;           /* the block at which a turn begins */
    uint64_t state;
    uint64_t patience;       /* blocks until another head is chosen */
    uint64_t count;          /* instructions at the beginning of the turn */
    uint64_t deadline;       /* the slice in which it began */
    uint64_t touched;        /* `touched` of the hart, as it was then */
    uint64_t stack_at;       /* offset of the stack pointer in RAM, as it was then */
    uint64_t length;         /* blocks of the turn so far */
    uint64_t registers[IDLE_REGISTERS]; /* mstatus, x1 to x31 */
    uint64_t path[IDLE_BLOCKS];
    uint8_t stack[2 * LOOP_STACK];
};
