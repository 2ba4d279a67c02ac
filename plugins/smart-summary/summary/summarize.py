"""The whole way from arguments to a summary, as plain values."""

from collections.abc import Callable

from . import keywords, rank, sentences, words
from .stopwords import ALL, STOPWORDS

TEXT_CHARACTERS_MIN = 200
TEXT_CHARACTERS_MAX = 100_000
SENTENCES_MAX = 50
KEYWORDS_MAX = 30
KEYWORDS_DEFAULT = 8
FOCUS_CHARACTERS_MAX = 200


class ArgumentError(Exception):
    """The arguments cannot be served; the message says which and why."""


def summarize(arguments: dict, progress: Callable[[int, str], None] = lambda step, message: None) -> dict:
    """A summary of `arguments["text"]`, as published in the output schema.

    `progress` is told of each of `STEPS` steps as it begins.
    """
    text = _text(arguments)
    progress(1, "Reading")
    found = _distinct(sentences.split(text))
    count = _count(arguments, len(found))
    language = words.language(text)
    stopwords = STOPWORDS.get(language, ALL)
    progress(2, f"Ranking {len(found)} sentences")
    candidates = [
        rank.Candidate(words.terms(sentence.text, stopwords), number == 0, sentence.opens_paragraph)
        for number, sentence in enumerate(found)
    ]
    focus = words.terms(_optional(arguments, "focus", str) or "", stopwords)
    scores, likeness = rank.rank(candidates, focus)
    progress(3, "Choosing")
    chosen = rank.choose(scores, likeness, count)
    keyword_count = _bounded(arguments, "keywords", int, 0, KEYWORDS_MAX)
    keyword_count = KEYWORDS_DEFAULT if keyword_count is None else keyword_count
    summary = _join([found[number].text for number in chosen])
    return {
        "summary": summary,
        "sentences": [_chosen(found[number], number, scores[number]) for number in chosen],
        "keywords": keywords.extract(found, scores, stopwords, keyword_count),
        "language": language,
        "figures": _figures(text, summary, len(found), len(chosen)),
    }


STEPS = 3


def _text(arguments: dict) -> str:
    text = _optional(arguments, "text", str)
    if text is None:
        raise ArgumentError("text is missing")
    if len(text) > TEXT_CHARACTERS_MAX:
        raise ArgumentError(f"text has {len(text)} characters; at most {TEXT_CHARACTERS_MAX} are read at once")
    if not text.strip():
        raise ArgumentError("text is empty")
    return text


def _distinct(found: list[sentences.Sentence]) -> list[sentences.Sentence]:
    """Every sentence once: boilerplate that repeats neither counts more nor is chosen twice."""
    first: dict[str, sentences.Sentence] = {}
    for sentence in found:
        first.setdefault(sentence.text.casefold(), sentence)
    return list(first.values())


def _count(arguments: dict, available: int) -> int:
    """How many sentences to choose; an answer that shortens nothing is refused, since it would be charged."""
    wanted = _bounded(arguments, "sentences", int, 1, SENTENCES_MAX)
    ratio = _bounded(arguments, "ratio", float, 0.01, 0.9)
    if wanted is not None and ratio is not None:
        raise ArgumentError("sentences and ratio exclude each other: give one of them")
    if available == 0:
        raise ArgumentError("text has no sentences: prose with end marks is needed, not a list or a table")
    if wanted is None:
        wanted = max(1, round(available * ratio)) if ratio is not None else min(7, max(1, round(available / 5)))
    if wanted >= available:
        raise ArgumentError(
            f"text has {available} different sentence{'s' * (available != 1)}, and {wanted} would be kept: nothing to shorten"
        )
    return min(wanted, SENTENCES_MAX)


def _bounded(arguments: dict, name: str, kind: type, least: float, most: float):
    value = _optional(arguments, name, kind)
    if value is not None and not least <= value <= most:
        raise ArgumentError(f"{name} is {value}, and must be {least} to {most}")
    return value


def _optional(arguments: dict, name: str, kind: type):
    value = arguments.get(name)
    if value is None:
        return None
    whole = isinstance(value, float) and value.is_integer()
    if kind is int and whole:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else kind):
        raise ArgumentError(f"{name} must be a {'number' if kind in (int, float) else 'string'}")
    return value


def _chosen(sentence: sentences.Sentence, number: int, score: float) -> dict:
    return {
        "text": sentence.text,
        "index": number,
        "paragraph": sentence.paragraph,
        "start": sentence.start,
        "end": sentence.end,
        "score": round(score, 3),
    }


def _join(chosen: list[str]) -> str:
    """Chinese and Japanese sentences follow each other without a blank."""
    joined = ""
    for sentence in chosen:
        glue = "" if not joined or joined.rstrip(sentences.CLOSERS)[-1:] in tuple(sentences.WIDE_MARKS) else " "
        joined += glue + sentence
    return joined


def _figures(text: str, summary: str, sentences_in: int, sentences_out: int) -> dict:
    return {
        "characters_in": len(text),
        "characters_out": len(summary),
        "words_in": words.count_words(text),
        "words_out": words.count_words(summary),
        "sentences_in": sentences_in,
        "sentences_out": sentences_out,
        "percent_kept": round(100 * len(summary) / len(text), 1),
    }
