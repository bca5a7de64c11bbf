"""python -m host_tools."""

from host_tools.start import main

if __name__ == "__main__":
    main("python -m host_tools")
