"""python -m host_tools."""

from host_tools.cli import main

if __name__ == "__main__":
    main(prog_name="python -m host_tools")
