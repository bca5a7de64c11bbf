/* An SPI controller (DesignWare SSI, frame format 0) with nothing on its bus: the data line stays high. */
struct idle_spi {
    uint32_t registers[1024];
    uint32_t waiting;      /* frames in the receive FIFO */
    uint32_t sent;         /* frames written before a slave is selected */
    uint64_t cpu_hertz;
    uint64_t spi_hertz;    /* the controller's input clock */
};

/* The controller as one hart reaches it. */
struct idle_port {
    struct idle_spi *spi;
    struct hart *hart;
};

/* The hart waits for the line. While the other one works, its waiting is taken from its own slice, as if it polled. */
static void idle_frames(struct idle_port *port, uint32_t frames)
{
    struct idle_spi *s = port->spi;
    struct hart *h = port->hart;
    uint32_t bits = (s->registers[0] >> 16 & 31) + 1, divider = s->registers[5] & 0xfffe;
    uint64_t clocks = (uint64_t)frames * bits * (divider ? divider : 2);
    uint64_t cycles = (uint64_t)((unsigned __int128)clocks * s->cpu_hertz / s->spi_hertz);
    if (h->first && h->clock->may_skip) {
        pass(h, cycles);
        return;
    }
    h->count += cycles * h->clock->denominator / h->clock->numerator;
    if (h->first) h->clock->first_count = h->count;
}

uint64_t k210_idle_spi_read(void *uc, uint64_t offset, unsigned size, void *user)
{
    struct idle_port *port = user;
    struct idle_spi *s = port->spi;
    uint32_t bits = (s->registers[0] >> 16 & 31) + 1;
    (void)uc; (void)size;
    port->hart->touched = 1;
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
    struct idle_port *port = user;
    struct idle_spi *s = port->spi;
    uint32_t mode = s->registers[0] >> 8 & 3, active = (s->registers[2] & 1) && s->registers[4], frames;
    (void)uc; (void)size;
    if (offset >= 0x60 && offset < 0xf0) {
        if (active) idle_frames(port, 1);
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
        /* A receiver is only started by what is written; it sends nothing of it. */
        idle_frames(port, mode == 0 || mode == 2 ? frames : s->sent + frames);
        s->sent = 0;
    }
}
