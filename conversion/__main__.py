"""python -m conversion."""

from conversion import extras

if __name__ == "__main__":
    with extras.named("conversion"):
        from conversion.cli import main
    main(prog_name="python -m conversion")
