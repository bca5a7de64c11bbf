/* Finding delay loops, proving that they are nothing else, and jumping over their turns. Part of helper.c. */

static void forget_loop(struct loop *l)
{
    l->state = WATCHED;
    l->turns = l->jump = l->jumped = l->falling = 0;
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
    l->saved = 1;
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
        l->state = !h->touched && path_is(h, l->path, l->length, is_pure) ? PROVEN : REFUSED;
    } else if (l->state == PROVEN && h->touched) {
        l->state = REFUSED;
    }
    l->at = 0;
    l->count = h->count;
    l->step = step;
    l->pc = h->last_pc;
    if (again && l->state == PROVEN && l->saved && h->clock->may_skip) jump(h);
    else l->jumped = 0;
    l->saved = 0;
    return now(h->clock);
}
