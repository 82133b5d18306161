"""Hundreds of patterns, one after another: failures are kept, and what was answered before is not asked again."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import sys
from pathlib import Path
from typing import Any, Callable, Mapping, NamedTuple, Sequence

from pacbed_client.asking import PatternLike, Sending, ask, pack
from pacbed_client.errors import ClientError, InputError
from pacbed_client.question import Question, question_of
from pacbed_client.result import BAD, LookupResult, read_answer
from pacbed_client.saving import AnyPath, write_new
from pacbed_client.service import HERE, Service, Where, service_of

SCHEMA_VERSION = 1
TABLE = "patterns.csv"
COLUMNS = ("pattern", "thickness_nm", "thickness_std_nm", "verdict", "reasons", "answer")
SHOWN_DIGITS = 12  # of a fingerprint in a file name


class Entry(NamedTuple):
    """What became of one pattern.

    Attributes
    ----------
    name : str
    result : LookupResult or None
        None where there is none.
    error : str
        Why not, in a sentence.
    file : Path or None
        Where the answer is saved.
    again : bool
        It was saved before and was not asked.
    """

    name: str
    result: LookupResult | None = None
    error: str = ""
    file: Path | None = None
    again: bool = False

    @property
    def status(self) -> int:
        """0 done (also doubtful), 1 refused, 2 no result."""
        return BAD if self.result is None else self.result.status

    def __str__(self) -> str:
        """One line."""
        return f"{self.name}: {self.error}" if self.result is None else str(self.result)


Progress = Callable[[int, int, Entry], None]


def print_progress(done: int, total: int, entry: Entry) -> None:
    """Tell on standard error what became of a pattern."""
    saved = " (saved before)" if entry.again else ""
    print(f"{done} of {total}: {entry}{saved}", file=sys.stderr)


def map_patterns(
    patterns: Sequence[PatternLike] | Mapping[str, PatternLike],
    out: AnyPath,
    service: Where = HERE,
    *,
    sheet: bool = False,
    progress: Progress | None = print_progress,
    **asked: Any,
) -> list[Entry]:
    """Ask for the thickness of many patterns, one after another.

    Every answer is saved at once. Called again, for instance after it was interrupted, it asks only for what is not
    saved: the name of a saved answer holds a hash of the pattern, the question and the bundle.

    Parameters
    ----------
    patterns : sequence of paths or arrays, or mapping of names to these
        An array without a name is called by its place, such as ``0012``.
    out : path
        Folder of the answers, ``<name>-<hash>.json``, and of the table ``patterns.csv``.
    service, sheet, **asked
        As for `lookup`; the sheet is not drawn unless asked for.
    progress : callable or None
        Called with number done, number in all, and `Entry`; None for silence.

    Returns
    -------
    list of Entry
        In the order of the patterns. A pattern that failed is an entry with `error`; the others are asked all the same.

    Raises
    ------
    InputError
        The question cannot be right, or ``patterns.csv`` is a file of something else.
    ServiceError, UnreachableError
        The service does not say what it serves.
    """
    question, known, folder = question_of(asked), service_of(service), Path(out)
    _check_table(folder / TABLE)
    asking = _Series(known, question, folder, sheet, _served(known, question))
    named = _named(patterns)
    entries = []
    for name, pattern in named:
        entries.append(asking.entry(name, pattern))
        if progress is not None:
            progress(len(entries), len(named), entries[-1])
    _write_table(entries, folder / TABLE)
    return entries


class _Series(NamedTuple):
    """What all patterns of a series share."""

    service: Service
    question: Question
    folder: Path
    sheet: bool
    served: tuple[str, ...]

    def entry(self, name: str, pattern: PatternLike) -> Entry:
        """What becomes of one pattern."""
        try:
            sending = pack(pattern, name, self.service)
            file = self.folder / f"{_plain(name)}-{self.fingerprint(sending)[:SHOWN_DIGITS]}.json"
            saved = _read_saved(file, self.service)
            if saved is not None:
                return Entry(name, saved, file=file, again=True)
            result = ask(self.service, sending, self.question, sheet=self.sheet)
            _save(result, file)
            return Entry(name, result, file=file)
        except ClientError as error:
            return Entry(name, error=str(error))
        except OSError as error:  # no space, no permission
            return Entry(name, error=f"the answer cannot be saved ({error})")

    def fingerprint(self, sending: Sending) -> str:
        """Hash of everything that an answer depends on, as far as it is known here."""
        fields = self.question.fields(sending.binning)
        told = json.dumps([sending.name, fields, self.sheet, self.served], sort_keys=True)
        return hashlib.sha256(told.encode("utf-8") + b"\0" + sending.content).hexdigest()


def _served(service: Service, question: Question) -> tuple[str, ...]:
    """Hashes of the bundles that may answer: a bundle made anew is asked anew."""
    bundles = service.bundles()
    named = [one for one in bundles if question.bundle in (None, one.get("name"))]
    return tuple(sorted(str(one.get("sha256", "")) for one in named or bundles))


def _named(patterns: Sequence[PatternLike] | Mapping[str, PatternLike]) -> list[tuple[str, PatternLike]]:
    if isinstance(patterns, Mapping):
        return [(str(name), pattern) for name, pattern in patterns.items()]
    digits = max(4, len(str(len(patterns))))
    named = []
    for number, pattern in enumerate(patterns):
        array = hasattr(pattern, "shape")
        named.append((str(number).zfill(digits) if array else Path(pattern).name, pattern))  # type: ignore[arg-type]
    return named


def _plain(name: str) -> str:
    """A name as part of a file name on every system."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[:80].strip(".") or "pattern"


def _save(result: LookupResult, file: Path) -> None:
    answer = {"id": result.id, "input": result.name, "bundle": result.bundle, "result": result.result}
    saved = {"schema_version": SCHEMA_VERSION, "notes": list(result.notes), "answer": answer}
    write_new(file, (json.dumps(saved, indent=1, ensure_ascii=False) + "\n").encode("utf-8"), overwrite=True)


def _read_saved(file: Path, service: Service) -> LookupResult | None:
    """A saved answer; None where there is none, or none that is whole."""
    try:
        saved: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if saved["schema_version"] != SCHEMA_VERSION:
            return None
        return read_answer(saved["answer"], tuple(saved["notes"]), service)
    except (OSError, ValueError, KeyError, TypeError, ClientError):
        return None


def _check_table(file: Path) -> None:
    """A table of somebody else is not replaced."""
    if file.exists() and not file.read_bytes().startswith(",".join(COLUMNS).encode("ascii")):
        raise InputError(f"out: {file} is not a table of this program, accepted: another folder")


def _write_table(entries: list[Entry], file: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        found = entry.result
        if found is None:
            writer.writerow([entry.name, "", "", "no result", entry.error, ""])
            continue
        numbers = ["" if one is None else f"{one:.6g}" for one in (found.thickness_nm, found.std_nm)]
        saved = "" if entry.file is None else entry.file.name
        writer.writerow([entry.name, *numbers, found.verdict, "; ".join(found.reasons), saved])
    write_new(file, text.getvalue().encode("utf-8"), overwrite=True)
