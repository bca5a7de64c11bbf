"""How both command lines print: words stay whole at a terminal's edge, tables fit it; a pipe gets plain lines.

Results go to stdout, talk to stderr. What stands between the words of a longer line is where it is broken; a word that
is wider than the terminal, such as a path, stays in one piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from conversion.outside import text

talk_console = Console(stderr=True, highlight=False)
result_console = Console(highlight=False)

# Between the cells of a line that a program reads, and what stands for an empty one there.
_GAP, _NOTHING = "  ", "-"
# Between the cells of a table that is drawn, where there is room and where there is not.
_GAPS = (2, 1)
_INDENT = 4
# How much further in a line goes on than it began.
_FURTHER = 2

Row = Sequence[str]
# Names, and what is said last.
Facts = Sequence[tuple[str, ...]]


def show(what: RenderableType, console: Console = result_console) -> None:
    """Print a table or facts."""
    console.print(what, crop=False, soft_wrap=not console.is_terminal)


def say(line: str, style: str = "", console: Console = result_console) -> None:
    """Print one line."""
    show(Line(line, style), console)


def talk(message: str) -> None:
    """One line about what happens."""
    say(f"· {message}", "dim", talk_console)


def warn(message: str) -> None:
    """One line about what may be wrong, and stops nothing."""
    say(f"warning: {message}", "yellow", talk_console)


def counted(number: int, one: str, more: str | None = None) -> str:
    """A number of things in words: "1 frame", "2 frames"; `more` where that is no mere s."""
    return f"{number} {one if number == 1 else more or one + 's'}"


@dataclass(frozen=True)
class Line:
    """A line; where it is wider than the terminal it goes on below, further in than it began."""

    said: str
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        for line in text.message(self.said).split("\n"):
            if not console.is_terminal:
                yield _whole(line, self.style)
                continue
            begin = line[: len(line) - len(line.lstrip())]
            indent = len(begin) + _FURTHER
            yield from _hanging(options.max_width, begin, line[len(begin) :], indent, self.style)


@dataclass(frozen=True)
class Column:
    """A column of a table: figures stand at its right edge; of what does not wrap each cell stays on one line."""

    title: str
    number: bool = False
    wraps: bool = True


@dataclass(frozen=True)
class Table:
    """Rows of cells under the names of their columns, None where a new group begins.

    A title stands above, after an empty line; notes below. In a terminal it is drawn, with cells broken between words
    where it is too wide. Where even that does not fit, each row is a paragraph of names and cells. In a pipe each row
    is a line, with nothing to fill it up.
    """

    columns: Sequence[Column]
    rows: list[Row | None]
    title: str = ""
    notes: Sequence[str] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        if self.title:
            yield Text("")
            yield Line(self.title, "bold")
        if not console.is_terminal:
            yield from self._lines()
        elif (fitting := self._fitting(options.max_width)) is not None:
            yield self._drawn(*fitting)
        else:
            yield from self._paragraphs(options.max_width)
        for note in self.notes:
            yield Line(note)

    def _lines(self) -> Iterator[Text]:
        for row in ([column.title for column in self.columns], *filter(None, self.rows)):
            yield _whole(_GAP.join(cell or _NOTHING for cell in row))

    def _fitting(self, room: int) -> tuple[list[int], int] | None:
        """How wide each column is, and the gap between them, in so much room; None where words would be broken."""
        cells = [[row[number] for row in self.rows if row] for number in range(len(self.columns))]
        # Titles wrap before anything else does, figures never.
        kept = [_longest(below) for below in cells]
        heads = [_longest(column.title.split()) for column in self.columns]
        wanted = [max(cell_len(column.title), widest) for column, widest in zip(self.columns, kept, strict=True)]
        least = [
            max(head, _longest(word for cell in below for word in cell.split()) if column.wraps else widest)
            for column, head, below, widest in zip(self.columns, heads, cells, kept, strict=True)
        ]
        for gap in _GAPS:
            left = room - gap * (len(wanted) - 1)
            if sum(least) <= left:
                return _narrowed(wanted, least, left), gap
        return None

    def _drawn(self, widths: Sequence[int], gap: int) -> RichTable:
        table = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap - 1, 0, 0))
        for column, width in zip(self.columns, widths, strict=True):
            justify = "right" if column.number else "left"
            table.add_column(Text(column.title), justify=justify, width=width)
        for row in self.rows:
            if row is None:
                table.add_section()
            else:
                table.add_row(*(Text(text.printable(cell)) for cell in row))
        return table

    def _paragraphs(self, room: int) -> Iterator[Text]:
        for row in filter(None, self.rows):
            head = next(number for number, cell in enumerate(row) if cell or number == len(row) - 1)
            pairs = [
                f"{column.title}: {cell}"
                for number, (column, cell) in enumerate(zip(self.columns, row, strict=True))
                if cell and number != head
            ]
            pieces = [f"{pair} ·" for pair in pairs[:-1]] + pairs[-1:]
            begin = row[head].ljust(_INDENT)
            if cell_len(begin) > _INDENT:
                yield _whole(begin)
                begin = " " * _INDENT
            yield from _broken(room, begin, _pieces(pieces, room - _INDENT), _INDENT)


def tabulate(columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Print rows of texts under the names of their columns."""
    show(Table([Column(name) for name in columns], list(rows)))


@dataclass(frozen=True)
class Named:
    """Facts with one name or several before each, names below names; a text that is wider than the terminal goes on
    below its beginning. `styles` colour the facts, one each."""

    facts: Facts
    styles: Sequence[str] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        widths = [_longest(names) for names in zip(*(fact[:-1] for fact in self.facts), strict=True)]
        for number, (*names, said) in enumerate(self.facts):
            if not console.is_terminal:
                yield _whole(_GAP.join(filter(None, (*names, said))))
                continue
            style = self.styles[number] if self.styles else ""
            padded = (name + " " * (width - cell_len(name)) for name, width in zip(names, widths, strict=True))
            head = Text("".join(f"{name}{_GAP}" for name in padded), style=style or "bold")
            yield from _hanging(options.max_width, head, said, head.cell_len, style)


def _pieces(pieces: Iterable[str], room: int) -> Iterator[str]:
    """Each in one piece where it has room, else its words."""
    for piece in pieces:
        yield from [piece] if cell_len(piece) <= room else piece.split(" ")


def _hanging(room: int, head: str | Text, said: str, indent: int, style: str = "") -> Iterator[Text]:
    """A text after its head, in lines of so much room; from the second on they begin at `indent`."""
    return _broken(room, head, said.split(" "), indent, style)


def _broken(room: int, head: str | Text, pieces: Iterable[str], indent: int, style: str = "") -> Iterator[Text]:
    width, line = cell_len(str(head)), []
    for piece in map(text.printable, pieces):
        if line and width + cell_len(piece) > room:
            yield _assembled(head, line, style)
            head, width, line = " " * indent, indent, []
        line.append(piece)
        width += cell_len(piece) + 1
    yield _assembled(head, line, style)


def _assembled(head: str | Text, words: Sequence[str], style: str) -> Text:
    return Text.assemble(head, (" ".join(words), style), overflow="ignore", no_wrap=True)


def _whole(line: str, style: str = "") -> Text:
    return Text(text.printable(line), style=style, overflow="ignore", no_wrap=True)


def _longest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts), default=0)


def _narrowed(wanted: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths that fit: what is widest gives way first, down to its longest word."""
    widths = list(wanted)
    while sum(widths) > room:
        widest = max(
            (number for number in range(len(widths)) if widths[number] > least[number]), key=widths.__getitem__
        )
        widths[widest] -= 1
    return widths
