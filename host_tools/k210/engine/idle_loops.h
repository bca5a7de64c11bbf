/* Finding idle loops, proving that they are nothing else, and counting their turns without running them. Part of
 * helper.c. */

static void read_registers(void *uc, struct hart *h, uint64_t *values)
{
    int numbers[IDLE_REGISTERS], n;
    void *places[IDLE_REGISTERS];
    for (n = 0; n < IDLE_REGISTERS; n++) {
        numbers[n] = n ? (int)h->first_register + n - 1 : (int)h->mstatus;
        values[n] = 0;
        places[n] = &values[n];
    }
    h->reg_read_batch(uc, numbers, places, IDLE_REGISTERS);
}

/* Look for another loop, after so many blocks. */
static void rest_from_idle(struct hart *h, uint64_t blocks)
{
    struct idle_loop *l = &h->idle;
    if (l->state == FOLLOWED) h->touched |= l->touched;
    l->state = UNSEEN;
    l->head = NEVER;
    l->patience = blocks;
}

/* A turn begins: keep all that must be the same when the next one does. */
static void begin_turn(void *uc, struct hart *h)
{
    struct idle_loop *l = &h->idle;
    l->count = h->count;
    l->patience = IDLE_PATIENCE;
    /* A delay loop is followed by what has been touched, too: one of the two at a time. */
    if (h->loop.state == RECORDED || h->loop.state == PROVEN) return;
    read_registers(uc, h, l->registers);
    l->stack_at = ram_offset(l->registers[2]);
    if (l->stack_at == NEVER || l->stack_at < LOOP_STACK || l->stack_at + LOOP_STACK > RAM_SIZE) return;
    memcpy(l->stack, h->ram + l->stack_at - LOOP_STACK, sizeof l->stack);
    l->deadline = h->deadline;
    l->touched = h->touched;
    h->touched = 0;
    l->length = 0;
    l->state = FOLLOWED;
}

/* Whether an instruction's effects are all in the general registers, mstatus and the stack. */
static int is_idle(uint32_t word)
{
    switch (word & 3) {
    case 0: return (word >> 13 & 7) == 0 || (word >> 13 & 7) == 2 || (word >> 13 & 7) == 3; /* no c.fld */
    case 2: if ((word >> 13 & 7) == 1) return 0;                                            /* c.fldsp */
    }
    switch ((word & 3) == 3 ? word & 0x7f : 0) {
    case 0x07: case 0x27: case 0x43: case 0x47: case 0x4b: case 0x4f: case 0x53: return 0;  /* floating point */
    case 0x73: return (word >> 20 == 0x300) && (word >> 12 & 3);                            /* mstatus alone */
    }
    return is_pure(word);
}

static int turn_is_idle(void *uc, struct hart *h)
{
    struct idle_loop *l = &h->idle;
    uint64_t registers[IDLE_REGISTERS];
    if (h->touched || l->deadline != h->deadline || h->count == l->count) return 0;
    read_registers(uc, h, registers);
    return !memcmp(registers, l->registers, sizeof registers)
        && !memcmp(l->stack, h->ram + l->stack_at - LOOP_STACK, sizeof l->stack)
        && path_is(h, l->path, l->length, is_idle);
}

/* Counts as many whole turns as begin before the end of the slice. */
static void skip_turns(struct hart *h)
{
    struct idle_loop *l = &h->idle;
    uint64_t turn = h->count - l->count, turns = (h->deadline - 1 - h->count) / turn, n;
    for (n = 0; n < l->length && h->marks; n++)
        if (is_marked(h, ram_offset(l->path[n]))) return;
    for (n = 0; n < l->length && h->profile; n++) {
        uint64_t offset = ram_offset(l->path[n]);
        h->profile[offset >> 1] += turns * (h->cache[offset >> 1] & 0xfff);
    }
    h->count += turns * turn;
}

/* The head of the watched loop is about to be run. */
static void at_idle_head(void *uc, struct hart *h)
{
    struct idle_loop *l = &h->idle;
    if (l->state == FOLLOWED) {
        if (!turn_is_idle(uc, h)) {
            rest_from_idle(h, IDLE_REST);
            return;
        }
        skip_turns(h);
        h->touched |= l->touched;
        l->state = UNSEEN;
        l->count = h->count;
        l->patience = IDLE_PATIENCE;
        return;
    }
    if (h->count - l->count <= IDLE_INSTRUCTIONS) begin_turn(uc, h);
    else l->count = h->count;
}

/* Every block passes here before it is run. */
static void watch_for_idling(void *uc, struct hart *h, uint64_t address)
{
    struct idle_loop *l = &h->idle;
    if (address == l->head) at_idle_head(uc, h);
    else if (!--l->patience) {
        rest_from_idle(h, IDLE_PATIENCE);
        l->head = address;
        l->count = h->count;
        return;
    }
    if (l->state == FOLLOWED) {
        if (l->length == IDLE_BLOCKS) rest_from_idle(h, IDLE_REST);
        else l->path[l->length++] = address;
    }
}
