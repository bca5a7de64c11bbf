"""python -m host_tools."""

if __name__ == "__main__":
    from conversion import interrupts

    interrupts.end_at_once()
    from host_tools.cli import main

    main(prog_name="python -m host_tools")
