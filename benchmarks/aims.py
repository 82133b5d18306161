"""What is aimed at, beside what was measured: misses stand out in bold."""

from __future__ import annotations

SAID = "What is aimed at stands in brackets, **what misses it** in bold."


def cell(value: object, aim: str, *, text: str | None = None) -> str:
    """A cell of a table.

    Parameters
    ----------
    value : object
        What was measured; other than a number it cannot miss.
    aim : str
        ``≤ number``, ``≥ number`` or ``number to number``; empty if there is none.
    text : str, optional
        How the value is written.
    """
    shown = str(value) if text is None else text
    if not aim or not isinstance(value, int | float):
        return shown
    return shown if _reached(value, aim.split()) else f"**{shown}**"


def _reached(value: float, words: list[str]) -> bool:
    match words:
        case ["≤", most]:
            return value <= float(most)
        case ["≥", least]:
            return value >= float(least)
        case [low, "to", high]:
            return float(low) <= value <= float(high)
    raise ValueError(f"aim: got {' '.join(words)!r}, accepted: ≤ number, ≥ number, number to number")
