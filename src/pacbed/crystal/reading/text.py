"""The text of a CIF file: encoding, what people forget to quote, the syntax (by gemmi), numbers and missing values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gemmi import cif

from pacbed.errors import StructureError

# Signs that stand for one of ASCII, which is all that a CIF allows outside of quotes; any other becomes "~".
PLAIN = (
    {ord(sign): " " for sign in "\xa0\u202f\u205f\u3000\f\v\x1a"}
    | dict.fromkeys(range(8192, 8203), " ")
    | {ord(sign): "" for sign in "\u200b\u200c\u200d\u2060\ufeff"}
    | {ord(sign): "-" for sign in "\u2010\u2011\u2012\u2013\u2212"}
    | {ord(sign): "'" for sign in "\u2019\u2032"}
)
OPERATION_TAG = re.compile(r"_(symmetry_equiv|space_group_symop)[_.]", re.IGNORECASE)
OPERATION_XYZ_TAG = re.compile(r"_(symmetry_equiv[_.]pos_as|space_group_symop[_.]operation)_xyz$", re.IGNORECASE)
SPACED_VALUE = re.compile(
    r"^(\s*_(?:symmetry|space_group)[_.](?:space_group_)?name_(?:H-M|Hall)\w*|\s*_chemical_\w+"
    r"|\s*_(?:pd_phase_name|publ_\w+|journal_\w+|citation_\w+))"
    r"[ \t]+([^\s'\"#;][^'\"#]*?[ \t][^'\"#]*?)[ \t]*$",
    re.IGNORECASE,
)
# Quotes of a word processor around a whole value, or around the operation of a line; a name of a block with blanks.
CURLED = re.compile(
    r"^([ \t]*(?:_\S+[ \t]+|\d+[ \t]+)?)[\u2018\u201c\x91\x93]([^'\n]*)[\u2019\u201d\x92\x94][ \t]*$", re.MULTILINE
)
SPACED_NAME = re.compile(r"^(\s*data_\S+)[ \t]+([^\s_#'\";][^_#'\";]*)$", re.IGNORECASE)
NUMBER = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?(?:\((\d+)\))?")

CIF_TAG = re.compile(rb"^\s*_(cell|atom_site|symmetry|space_group)[_.]", re.IGNORECASE | re.MULTILINE)
CIF_BLOCK = re.compile(rb"^\s*data_", re.IGNORECASE | re.MULTILINE)
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
GLANCE = 1_000_000  # bytes, longer than any header


@dataclass(frozen=True)
class CifText:
    """A CIF file that has been parsed.

    Attributes
    ----------
    path : str
        For messages.
    lines : tuple of str
        Text of the file, for the numbers of lines in messages.
    document : gemmi.cif.Document
        Blocks of tags and loops.
    """

    path: str
    lines: tuple[str, ...]
    document: cif.Document


def refusal(path: str, what: str, got: object, accepted: str, line: int | None = None) -> StructureError:
    """Build the error for a CIF that is not read: file, line, tag or site, the value got and what is accepted.

    Parameters
    ----------
    path : str
        The file.
    what : str
        Tag, site, or both: "_atom_site_occupancy of Cs1".
    got : object
        The value; a text is quoted.
    accepted : str
        What would have been accepted, and what to write where.
    line : int, optional
        Number of the line, from 1, where it is known.
    """
    where = f"{path}, line {line}" if line else path
    shown = repr(got) if isinstance(got, str) else str(got)
    shown = shown if len(shown) <= 200 else shown[:197] + "..."
    return StructureError(f"cif: {where}: {what}: got {shown}, accepted: {accepted}")


def is_cif(path: Path) -> bool:
    """Whether a file is a CIF by its name or, under any other name, by a block and a tag of a crystal in its text."""
    if path.suffix.lower() == ".cif":
        return True
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(GLANCE)
    if start.startswith(UTF_16):
        start = start[2:].replace(b"\x00", b"")  # ASCII remains, and the reader refuses it by name
    return b"\x00" not in start and bool(CIF_BLOCK.search(start) and CIF_TAG.search(start))


def read_text(path: Path) -> CifText:
    """Decode and parse a file.

    Raises
    ------
    StructureError
        The file is missing or empty, is in another encoding than UTF-8 or Latin-1, or is no CIF; syntax errors are
        named with their line.
    """
    name = str(path)
    if not path.is_file():
        raise StructureError(f"cif: got {name!r}, accepted: the path of an existing CIF file")
    text = _decode(path.read_bytes(), name)
    if not text.strip():
        raise StructureError(f"cif: {name} is empty, accepted: a CIF with one crystal structure")
    _check_header(text, name)
    lines = _quote(text.split("\n"))
    try:
        document = cif.read_string("\n".join(lines) + "\n", check_level=0)
    except (ValueError, RuntimeError) as error:
        raise _syntax_error(str(error), lines, name) from None
    return CifText(name, tuple(lines), document)


def _decode(data: bytes, name: str) -> str:
    """ASCII text with line feeds; what is no ASCII is replaced sign by sign."""
    if data.startswith(UTF_16):
        raise refusal(name, "encoding", "UTF-16", "UTF-8 or ASCII; save the file as UTF-8")
    if b"\x00" in data:
        raise StructureError(f"cif: {name} is not a CIF (encoding: it holds zero bytes), accepted: text in UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = CURLED.sub(r"\1'\2'", text).translate(PLAIN)
    return re.sub(r"[^\t\n -~]", "~", text)


def _check_header(text: str, name: str) -> None:
    if re.search(r"^\s*data_", text, re.IGNORECASE | re.MULTILINE):
        return
    first = next(number for number, line in enumerate(text.split("\n"), 1) if line.strip())
    if re.search(r"^\s*(_\w+|loop_)", text, re.MULTILINE):
        raise StructureError(f"cif: {name}, line {first}: data_ missing, accepted: a line 'data_NAME' before all tags")
    shown = text.split("\n")[first - 1].strip()[:60]
    raise refusal(name, "not a CIF", shown, "a CIF file, in which a line 'data_NAME' comes before the tags", first)


def _quote(lines: list[str]) -> list[str]:
    """The lines with quotes around names, formulas and operations that hold blanks; their number stays."""
    quoted = [SPACED_VALUE.sub(r"\1 '\2'", SPACED_NAME.sub(_joined, line)) for line in lines]
    header: list[str] | None = None  # tags of the loop at hand, as far as read
    for number, line in enumerate(quoted):
        word = line.strip()
        if word.lower().startswith("loop_"):
            header = re.findall(r"_\S+", word[5:])
        elif header is not None and word.startswith("_"):
            header += word.split()
        elif header and all(OPERATION_TAG.match(tag) for tag in header):
            quoted[number] = _quote_operation(line, header)
    return quoted


def _joined(match: re.Match[str]) -> str:
    """The line that begins a block, its name without blanks."""
    return "_".join([match[1], *match[2].split()])


def _quote_operation(line: str, header: list[str]) -> str:
    """Quote the one operation of a line that holds nothing else but its number."""
    words = line.split()
    where = [index for index, tag in enumerate(header) if OPERATION_XYZ_TAG.match(tag)]
    if len(header) > 2 or len(where) != 1 or len(words) <= len(header) or line.count(",") != 2 or "'" in line:
        return line
    if '"' in line or "#" in line:
        return line
    numbers = len(header) - 1
    before = words[:numbers] if where[0] else []
    after = [] if where[0] else words[len(words) - numbers :]
    operation = words[len(before) : len(words) - len(after)]
    return " ".join([*before, f"'{' '.join(operation)}'", *after])


def _syntax_error(message: str, lines: list[str], name: str) -> StructureError:
    """One line out of the parser's message, which begins with source:line:column(byte)."""
    match = re.match(r"\w+:(\d+)(?::\d+\(\d+\))?:? ?(.*)", message.replace("\n", " "))
    if match is None:
        return StructureError(f"cif: {name} is not a CIF ({message.splitlines()[0]}), accepted: a CIF file")
    line, reason = int(match[1]), match[2]
    if "Wrong number of values" in reason:
        advice = "as many values as tags in every row; a row is short, or a value with blanks has no quotes"
        return refusal(name, "loop", reason.replace("Wrong", "wrong"), advice, line)
    shown = lines[line - 1].strip()[:60] if line <= len(lines) else "the end of the file"
    advice = f"CIF syntax ({reason}): one value after a tag, in quotes if it holds blanks"
    if lines[0].startswith("#\\#CIF_2"):
        advice += "; lists, tables and triple quotes of CIF 2.0 are not read, save the file as CIF 1.1"
    return refusal(name, "not a CIF here", shown, advice, line)


class Number(NamedTuple):
    """A number of a CIF.

    Attributes
    ----------
    value : float
    unit : float
        One unit of the last digit: 0.001 for 0.333.
    uncertainty : float
        Standard uncertainty, 0 where none is given: 0.002 for 0.333(2).
    """

    value: float
    unit: float
    uncertainty: float


def is_missing(text: str) -> bool:
    """Whether a value is '?' (unknown), '.' (the default, or does not apply) or nothing at all."""
    return text in ("", "?", ".")


def number(text: str) -> Number | None:
    """Read a number; None for everything else, decimal commas and fractions such as 1/3 included.

    Parameters
    ----------
    text : str
        A value without its quotes.
    """
    match = NUMBER.fullmatch(text)
    if match is None:
        return None
    sign, digits, exponent, uncertainty = match.groups()
    unit = 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))
    return Number(float(f"{sign}{digits}e{exponent or 0}"), unit, int(uncertainty or 0) * unit)
