"""python -m conversion."""

if __name__ == "__main__":
    from conversion import interrupts

    interrupts.end_at_once()
    from conversion.cli import main

    main(prog_name="python -m conversion")
