"""A terminal that keeps what is drawn on it, and fails where something is drawn beyond its edges."""

import re

SEQUENCE = re.compile(r"\x1b\[(\??)([\d;]*)([A-Za-z])")


class TerminalScreen:
    """Knows the control sequences that a program of ours may send; another one is an error."""

    def __init__(self, columns, lines):
        self.columns, self.lines = columns, lines
        self.other, self.cursor, self.coloured, self.entered = False, True, False, 0
        self.usual, self._drawn, self._at = "", {}, (1, 1)

    def feed(self, text):
        while text:
            found = SEQUENCE.match(text)
            if found:
                self._obey(*found.groups())
            elif text.startswith("\x1b"):
                raise AssertionError(f"an unknown sequence: {text[:20]!r}")
            else:
                found = re.match(r"[^\x1b]+", text)
                self._write(found.group())
            text = text[found.end() :]

    def shown(self):
        """The other screen, line by line."""
        return [self._drawn.get(line, "").rstrip() for line in range(1, self.lines + 1)]

    def _obey(self, private, numbers, final):
        if (private, final) == ("?", "h") or (private, final) == ("?", "l"):
            on = final == "h"
            if numbers == "1049":
                self.other = on
                self.entered += on
                self._drawn = {} if on else self._drawn
            elif numbers == "25":
                self.cursor = on
        elif final == "H":
            row, _, column = (numbers or "1;1").partition(";")
            self._at = int(row), int(column or 1)
        elif final == "m":
            self.coloured |= any(30 <= int(n or 0) % 60 <= 38 for n in numbers.split(";"))
        else:
            raise AssertionError(f"an unexpected sequence: {private}{numbers}{final}")

    def _write(self, text):
        if not self.other:
            self.usual += text
            return
        row, column = self._at
        assert "\n" not in text and row <= self.lines, (row, self.lines, text)
        assert column - 1 + len(text) <= self.columns, (self.columns, column, text)
        before = self._drawn.get(row, "")
        self._drawn[row] = before[: column - 1].ljust(column - 1) + text + before[column - 1 + len(text) :]
        self._at = row, column + len(text)
