"""Makes a plain table of what people call a csv file: finds out how it is written, and says what it took for what.

Semicolons, tabs and bars between values, decimal commas, thousands, `$3`, no line of names, values too large for float32.
"""

import csv
import io
import math
import re
from collections.abc import Callable

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN", "null", "NULL", "None", "?")
MARKS = {";": "semicolons", "\t": "tabs", ",": "commas", "|": "bars"}
ROWS = 20_000  # of a longer file, this many are taken
LARGEST = 3.4e38  # of float32
MOSTLY = 0.8  # a column of texts with a larger share of numbers than this is worth a word

PLAIN = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?inf(inity)?", re.I)
THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?")
COMMA = re.compile(r"[-+]?(\d{1,3}(\.\d{3})+|\d+)(,\d*)?|[-+]?,\d+")
MONEY = re.compile(r"([-+\u2212]?)\s*[$€£¥₹]?\s*(.*?)\s*[$€£¥₹%]?", re.S)  # a quoted cell may have several lines


class Table:
    """A csv file, read.

    Attributes:
        source: It as plain csv, in bytes, for `pyml.data.csv`: a line of names, commas, numbers with points.
        names: Of the columns.
        texts: Names of those that hold texts.
        has_header: Whether the first line was taken for the names.
        notes: Sentences that say what was taken for what, and what was left out.
    """

    def __init__(self, text, has_header=None):
        rows, mark = split(text.removeprefix("\ufeff"))
        self.notes = []
        self.has_header = guess_header(rows) if has_header is None else has_header
        self.names = [name.strip() for name in rows[0][1]] if self.has_header else [""] * len(rows[0][1])
        self.names = [name or f"column {i + 1}" for i, name in enumerate(self.names)]
        self._number_names()
        body = rows[1:] if self.has_header else rows
        if not body:
            raise ValueError("The file has a header line and no rows.")
        self._say_what_was_guessed(text, mark, has_header, len(body))
        body = body[:ROWS]
        columns, self.texts = [], []
        for i, name in enumerate(self.names):
            cells, numbers = self._column(name, [(line, row[i].strip()) for line, row in body], mark)
            columns.append(cells)
            if not numbers:
                self.texts.append(name)
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([self.names, *zip(*columns)])
        self.source = out.getvalue().encode()

    def _number_names(self):
        """Gives columns of one name different ones."""
        given = set(self.names)
        for i, name in enumerate(self.names):
            if name in self.names[:i]:
                other = next(other for n in range(2, len(given) + len(self.names) + 2) if (other := f"{name} {n}") not in given)
                given.add(other)
                self.names[i] = other
                self.notes.append(f"Another column is called {name} already: this one is {other} here.")

    def _say_what_was_guessed(self, text, mark, has_header, rows):
        if "\ufffd" in text:
            self.notes.append("Some letters could not be read, because the file is not UTF-8: they are shown as \ufffd.")
        if mark != ",":
            self.notes.append(f"Values are separated by {MARKS[mark]}.")
        if not self.has_header and has_header is None:
            self.notes.append("The first line looks like values, so it counts as a row and the columns are numbered.")
        if rows > ROWS:
            self.notes.append(f"It has {rows:,} rows; the first {ROWS:,} are taken, {rows - ROWS:,} are left out.")

    def _column(self, name, cells, mark):
        """The cells of a column as they go into the plain table, and whether they are numbers."""
        known = [(line, cell) for line, cell in cells if cell not in MISSING]
        way = reading([cell for _, cell in known], mark)
        if way is None:
            odd = [(line, cell) for line, cell in known if reading([cell], mark) is None]
            if not odd:
                self.notes.append(f"{name} is taken as texts: its numbers are written in different ways.")
            elif len(odd) < (1 - MOSTLY) * len(known):
                line, cell = odd[0]
                more = f"and {len(odd) - 1} more are not numbers" if len(odd) > 1 else "is not a number"
                self.notes.append(f"{name} is taken as texts: “{cell}” in line {line} {more}.")
            return [cell for _, cell in cells], False
        convert, sentence = way
        changed = next((cell for _, cell in known if convert(cell) != cell), None)
        if changed is not None:
            self.notes.append(f"{name}: {sentence}, “{changed}” is {float(convert(changed)):.10g}.")
        values = [cell if cell in MISSING else convert(cell) for _, cell in cells]
        large = [value for value in values if value not in MISSING and not math.fabs(float(value)) <= LARGEST]
        if large:
            many = "1 number" if len(large) == 1 else f"{len(large)} numbers"
            self.notes.append(f"{name}: {many} beyond {LARGEST:g} left out as missing, such as {large[0]}.")
        return ["" if value in MISSING or not math.fabs(float(value)) <= LARGEST else value for value in values], True


def split(text):
    """The rows of a csv file with their lines, and what separates their values.

    Raises:
        ValueError: It is empty or no text, a quoted value does not end, or rows differ in length.
    """
    if not text.strip():
        raise ValueError("the file is empty.")
    if text.startswith("PK\x03\x04"):
        raise ValueError("this is a spreadsheet or another packed file; save the table as csv and open that.")
    if "\0" in text:
        raise ValueError("this is no text; a csv file has lines with values between commas.")
    said = re.match(r"sep=(.)\r?\n", text)  # spreadsheets write it, and mean the rest
    if said:
        text = text[said.end():]
        if not text.strip():
            raise ValueError("the file is empty but for the line that says what separates its values.")
    found = {}
    for mark in MARKS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
        try:
            found[mark] = [(reader.line_num, row) for row in reader if any(map(str.strip, row)) or len(row) > 1]
        except csv.Error as error:
            found[mark] = ValueError(f"line {reader.line_num}: {error}.")
    even = [mark for mark, rows in found.items() if isinstance(rows, list) and len({len(row) for _, row in rows}) == 1]
    several = [mark for mark in even if len(found[mark][0][1]) > 1]
    first = text.strip().splitlines()[0]
    mark = (several or [max(",;\t|", key=first.count)])[0]
    rows = found[mark]
    if isinstance(rows, ValueError):
        raise rows
    width = len(rows[0][1])
    for line, row in rows:
        if len(row) != width:
            raise ValueError(f"line {line}: expected {width} value{'s' * (width > 1)}, as in the first line. Received: {len(row)}")
    return rows, mark


def guess_header(rows):
    """Whether the first row holds names: it does, unless one of its values is a number and each is of its column's kind."""
    first, rest = rows[0][1], [row for _, row in rows[1:51]]
    is_number = lambda cell: reading([cell.strip()], ";") is not None or reading([cell.strip()], ",") is not None
    if not any(cell.strip() not in MISSING and is_number(cell) for cell in first):
        return True
    for i, cell in enumerate(first):
        below = [row[i] for row in rest if row[i].strip() not in MISSING]
        if below and all(map(is_number, below)) and not is_number(cell):
            return True
    return False


def reading(cells, mark) -> tuple[Callable[[str], str], str] | None:
    """How numbers are written in a column: what makes plain ones of them, in words too; None where they are texts."""
    if all(map(PLAIN.fullmatch, cells)):
        return str, ""
    bare = [without_unit(cell) for cell in cells]
    units = " and units left out" if bare != cells else ""
    if all(map(PLAIN.fullmatch, bare)):
        return without_unit, "units left out"
    thousands = all(PLAIN.fullmatch(cell) or THOUSANDS.fullmatch(cell) for cell in bare)
    decimal = all(map(COMMA.fullmatch, bare))
    if thousands and not (decimal and mark == ";"):
        return lambda cell: without_unit(cell).replace(",", ""), f"commas between thousands{units}"
    if decimal:
        return lambda cell: without_unit(cell).replace(".", "").replace(",", "."), f"decimal commas{units}"
    return None


def without_unit(cell):
    """A number without the sign of a currency or percent around it, without spaces between thousands, its minus as a hyphen."""
    sign, number = MONEY.fullmatch(cell).groups()
    return sign.replace("\u2212", "-") + re.sub(r"(?<=\d)[\s\u00a0\u202f'](?=\d{3})", "", number)
