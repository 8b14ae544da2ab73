"""Tells Swift code from its comments and strings, so that a check looks at code alone."""

import re

_OPENING = re.compile(r'(#*)("""|")')


def code(source: str) -> str:
    """`source` with comments and the text of strings blanked; lines and columns stay, code in `\\(…)` too."""
    return _Scanner(source).scan()


class _Scanner:
    def __init__(self, source: str):
        self.source = source
        self.out = list(source)
        self.at = 0

    def scan(self) -> str:
        self._code(until_parenthesis=False)
        return "".join(self.out)

    def _blank(self, end: int) -> None:
        for index in range(self.at, min(end, len(self.source))):
            if self.out[index] != "\n":
                self.out[index] = " "
        self.at = end

    def _code(self, until_parenthesis: bool) -> None:
        """Reads code to the end, or past the parenthesis that closes an interpolation."""
        depth = 0
        while self.at < len(self.source):
            rest = self.source[self.at : self.at + 2]
            opening = _OPENING.match(self.source, self.at)
            if rest == "//":
                end = self.source.find("\n", self.at)
                self._blank(len(self.source) if end < 0 else end)
            elif rest == "/*":
                self._blank(self._end_of_block_comment())
            elif opening:
                self._string(opening)
            else:
                depth += {"(": 1, ")": -1}.get(rest[0], 0)
                self.at += 1
                if until_parenthesis and depth < 0:
                    return

    def _end_of_block_comment(self) -> int:
        depth, at = 1, self.at + 2
        while depth and at < len(self.source):
            rest = self.source[at : at + 2]
            step = {"/*": 1, "*/": -1}.get(rest, 0)
            depth += step
            at += 2 if step else 1
        return at

    def _string(self, opening: re.Match[str]) -> None:
        """Blanks the text of a string; its quotes stay, so that what follows them still follows something."""
        pounds, quotes = opening.groups()
        escape, closing = "\\" + pounds, quotes + pounds
        self.at = opening.end()
        while self.at < len(self.source):
            if self.source.startswith(closing, self.at):
                self.at += len(closing)
                return
            if self.source.startswith(escape + "(", self.at):
                self._blank(self.at + len(escape) + 1)
                self._code(until_parenthesis=True)
            elif self.source.startswith(escape, self.at):
                self._blank(self.at + len(escape) + 1)
            elif quotes == '"' and self.source[self.at] == "\n":
                return
            else:
                self._blank(self.at + 1)
