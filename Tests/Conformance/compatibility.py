"""docs/compatibility.md, whose tables are what the tests found: they fail when it says something else."""

import os

from sluice_process import ROOT

DOCUMENT = ROOT / "docs" / "compatibility.md"


def check_table(name, header, rows):
    """Holds the table of that name against what was found; writes it anew with UPDATE_COMPATIBILITY=1."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    found = "\n".join(lines)
    text = DOCUMENT.read_text()
    begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
    before, rest = text.split(begin)
    written, after = rest.split(end)
    if os.environ.get("UPDATE_COMPATIBILITY"):
        DOCUMENT.write_text(before + begin + found + end + after)
    else:
        assert written == found, f"docs/compatibility.md, {name}: run the tests with UPDATE_COMPATIBILITY=1"
