"""python -m conversion."""

from conversion import extras, interrupts

if __name__ == "__main__":
    interrupts.end_at_once()
    with extras.named("conversion"):
        from conversion.cli import main
    main(prog_name="python -m conversion")
