"""Cuts a text into sentences and remembers where each one lies.

Rules instead of a model: an end mark closes a sentence unless what stands around it says otherwise (abbreviations,
initials, decimals, ordinals, quoted speech that goes on). Several scripts have their own marks. Headings are kept
apart: they are not sentences and never part of a summary.
"""

import re
from dataclasses import dataclass

from . import abbreviations


@dataclass(frozen=True)
class Sentence:
    """One sentence of the text."""

    text: str
    """The sentence with its blanks and line breaks collapsed."""
    start: int
    """Where it begins in the text, in characters (Unicode code points)."""
    end: int
    """Where it ends, exclusive."""
    paragraph: int
    """The paragraph's number, from 0."""
    opens_paragraph: bool
    """Whether it is the first of its paragraph."""


WIDE_MARKS = "。！？｡"
MARKS = ".!?…।॥؟۔։።" + WIDE_MARKS
CLOSERS = "\"'”’»›)]}」』）】》〉“*_"

_BLANK_LINE = re.compile(r"\n\s*\n")
_MARK = re.compile(rf"([{re.escape(MARKS)}]+)((?:[{re.escape(CLOSERS)}]|\[\d{{1,3}}\])*(?:[ \u00a0\u202f]»)?)")
_BULLET = re.compile(r"[ \t]*(?:[-*+•‣◦–—]|\(?\d{1,3}[.)]|\(?[a-z]\))[ \t]+")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]+")
_LOOK_AROUND = 60
"""Characters looked at on either side of an end mark: a bound, so that no text takes quadratic time."""

_WORDS_OF_A_LOOSE_SENTENCE = 12
_WIDE_CHARACTERS_OF_A_LOOSE_SENTENCE = 20
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")


def split(text: str) -> list[Sentence]:
    """The sentences of `text`, in order."""
    found: list[Sentence] = []
    for paragraph, (start, end) in enumerate(_paragraphs(text)):
        opens = True
        for block_start, block_end in _blocks(text, start, end):
            for first, last in _spans(text, block_start, block_end):
                sentence = _sentence(text, first, last, paragraph, opens)
                if sentence is not None:
                    found.append(sentence)
                    opens = False
    return found


def _paragraphs(text: str):
    start = 0
    for gap in _BLANK_LINE.finditer(text):
        if text[start : gap.start()].strip():
            yield start, gap.start()
        start = gap.end()
    if text[start:].strip():
        yield start, len(text)


def _blocks(text: str, start: int, end: int):
    """Runs of lines that belong together; headings are left out, and list items stand alone."""
    marked = any(mark in text[start:end] for mark in MARKS)
    block = None
    line_start = start
    while line_start < end:
        line_end = text.find("\n", line_start, end)
        line_end = end if line_end < 0 else line_end
        heading = _HEADING.match(text, line_start, line_end)
        bullet = _BULLET.match(text, line_start, line_end)
        if block is not None and (heading or bullet or not marked):
            yield block, line_start
            block = None
        if block is None and not heading:
            block = bullet.end() if bullet else line_start
        line_start = line_end + 1
    if block is not None:
        yield block, end


def _spans(text: str, start: int, end: int):
    first = start
    for mark in _MARK.finditer(text, start, end):
        if _closes(text, first, mark, end):
            yield first, mark.end()
            first = mark.end()
    if text[first:end].strip():
        yield first, end


def _closes(text: str, first: int, mark: re.Match, end: int) -> bool:
    """Whether this end mark ends the sentence that began at `first`."""
    marks, closers = mark.group(1), mark.group(2)
    after = mark.end()
    if marks[-1] in WIDE_MARKS:
        return not (closers and text[after : after + 1] in ("と", "っ"))
    if after < end and not text[after].isspace():
        return False
    following = text[after : min(end, after + _LOOK_AROUND)].split(maxsplit=1)
    if not following:
        return True
    next_word = following[0].lstrip("\"'“‘«‹([{„‚¿¡*_")
    if next_word[:1].islower():
        return False
    if marks == ".":
        before = text[max(first, mark.start() - _LOOK_AROUND) : mark.start()].split()
        return not abbreviations.goes_on(before, next_word)
    return True


def _sentence(text: str, first: int, last: int, paragraph: int, opens: bool) -> Sentence | None:
    raw = text[first:last]
    clean = " ".join(raw.split())
    if not _is_sentence(clean):
        return None
    start = first + len(raw) - len(raw.lstrip())
    end = last - (len(raw) - len(raw.rstrip()))
    return Sentence(clean, start, end, paragraph, opens)


def _is_sentence(clean: str) -> bool:
    """Headings, captions and table rows end without a mark and are short; a lone number is not a sentence."""
    if not any(character.isalpha() for character in clean):
        return False
    if clean.rstrip(CLOSERS + "0123456789[ \u00a0\u202f")[-1:] in tuple(MARKS + ":;"):
        return True
    wide = len(_WIDE.findall(clean))
    return len(clean.split()) >= _WORDS_OF_A_LOOSE_SENTENCE or wide >= _WIDE_CHARACTERS_OF_A_LOOSE_SENTENCE
