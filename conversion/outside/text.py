"""Text from outside, fit for a terminal, a pipe and one line of a message: the one filter that all of it goes through.

A terminal obeys escape sequences wherever they come from; surrogates cannot be encoded and would end the program that
prints them; marks that turn the direction of writing make a line read as another one.
"""

from __future__ import annotations

REPLACEMENT = "\ufffd"
MOST_SHOWN = 80
# Our own messages have some hundred letters; a path that a user names has up to 4096.
MOST_LINE = 5000


def printable(text: str) -> str:
    """The text with U+FFFD in place of each letter that does not print (Unicode's Other and Separator but the space).

    Tabs stay. What is left can be encoded as UTF-8 and moves no cursor; a line stays one line.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter == "\t" else REPLACEMENT for letter in text)


def message(text: str) -> str:
    """A message of our own that may quote text from outside: printable, its line breaks kept, no line without end."""
    lines = (line if len(line) <= MOST_LINE else f"{line[: MOST_LINE - 1]}…" for line in text.split("\n"))
    return "\n".join(map(printable, lines))


def shown(value: object, limit: int = MOST_SHOWN) -> str:
    """A value from a file, fit for one line of a message: printable, shortened, a nested one by its size."""
    nested = isinstance(value, list | dict) and (len(value) > 8 or any(isinstance(item, list | dict) for item in value))
    text = printable(f"a {type(value).__name__} of {len(value)}" if nested else str(value))
    return text if len(text) <= limit else text[: limit - 3] + "..."
