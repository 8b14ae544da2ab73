"""Growth as a picture: how many times more each thing costs with ten times the history, on a logarithmic scale."""

import math
from html import escape

from growth import Change

_LEFT, _RIGHT, _TOP, _LINE = 350, 740, 64, 28
_LEAST, _MOST = 0.7, 14.0
_STYLE = """
text { font: 13px sans-serif; fill: #24292f } .title { font-size: 15px; font-weight: bold } .axis { fill: #57606a }
line { stroke: #d0d7de } .flat { stroke: #57606a } .bar { stroke-width: 4 }
.stays { fill: #1a7f37; stroke: #1a7f37 } .grows { fill: #cf222e; stroke: #cf222e }
text.stays, text.grows { stroke: none }
"""


def svg(changes: list[Change], histories: list[str]) -> str:
    bottom = _TOP + _LINE * len(changes)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 {bottom + 40}" width="800">',
        f"<style>{_STYLE}</style>", f'<rect width="800" height="{bottom + 40}" fill="#ffffff"/>',
        _text(16, 26, f"How many times more it costs with {histories[1]} than with {histories[0]}", "title")]
    for tick, label in ((1, "1: flat"), (2, "2"), (5, "5"), (10, "10: as history")):
        x = _x(tick)
        parts.append(
            f'<line class="{"flat" if tick == 1 else "tick"}" x1="{x}" y1="{_TOP - 12}" x2="{x}" y2="{bottom}"/>')
        parts.append(_text(x, bottom + 20, label, "axis", "middle"))
    for index, change in enumerate(changes):
        parts += _bar(change, _TOP + _LINE * index + 10)
    return "\n".join([*parts, "</svg>", ""])


def _bar(change: Change, y: int) -> list[str]:
    kind = "grows" if change.cost > 1.5 else "stays"
    x, label = _x(change.cost), _x(max(change.cost, 1)) + 10
    return [
        _text(_LEFT, y + 4, change.what.replace("`", ""), "", "end"),
        f'<line class="bar {kind}" x1="{_x(1)}" y1="{y}" x2="{x}" y2="{y}"/>',
        f'<circle class="{kind}" cx="{x}" cy="{y}" r="5"/>', _text(label, y + 4, f"{change.cost:.2f}", kind)]


def _x(cost: float) -> float:
    share = math.log(min(max(cost, _LEAST), _MOST) / _LEAST) / math.log(_MOST / _LEAST)
    return round(_LEFT + share * (_RIGHT - _LEFT), 1)


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
