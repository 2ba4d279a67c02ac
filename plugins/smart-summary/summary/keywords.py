"""The words and two-word phrases a text is about."""

from collections import Counter, defaultdict

from . import words
from .sentences import Sentence

_HAN_PHRASE_MAX = 6
"""Characters of a phrase in Chinese or Japanese, at most."""

_FIRM_PHRASE = 0.6
"""The part of a word's occurrences that lie in the phrase."""


def extract(sentences: list[Sentence], scores: list[float], stopwords: frozenset[str], count: int) -> list[dict]:
    """At most `count` keywords, best first: `keyword` as most often written, how often, and a weight up to 1."""
    weight: dict[str, float] = defaultdict(float)
    times: Counter[str] = Counter()
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence, score in zip(sentences, scores):
        for key, form in _candidates(sentence.text, stopwords):
            weight[key] += 0.3 + score
            times[key] += 1
            forms[key][form] += 1
    _favour_phrases(times, weight)
    for run, run_times, run_weight in _wide_phrases(sentences, scores):
        weight[run], times[run], forms[run][run] = run_weight, run_times, run_times
    if any(times[key] > 1 for key in weight):
        weight = {key: value for key, value in weight.items() if times[key] > 1}
    best = sorted(weight, key=lambda key: (-weight[key], key))
    return _without_parts(best, weight, times, forms, count)


def _candidates(text: str, stopwords: frozenset[str]):
    """Words, and pairs of words with nothing but a blank between them: a key to count by, and the written form."""
    previous = None
    position = 0
    for match in words.WORD.finditer(text):
        word = match.group()
        wide = words.WIDE_LETTER.search(word) is not None
        if wide or word[0].isdigit() or words.is_function_word(word, stopwords):
            previous = None
        else:
            key = words.stem(word)
            if len(word) > 2:
                yield key, word
            if previous is not None and text[position : match.start()] == " ":
                yield f"{previous[0]} {key}", f"{previous[1]} {word}"
            previous = (key, word)
        position = match.end()


def _wide_phrases(sentences: list[Sentence], scores: list[float]):
    """Runs of Han and Katakana that occur twice or more, and not only inside a longer one, with times and weight."""
    runs = [
        (run, 0.3 + score)
        for sentence, score in zip(sentences, scores)
        for run in words.WIDE_RUN.findall(sentence.text)
    ]
    times, weight = _repeated(runs, 2, None)
    for size in range(3, _HAN_PHRASE_MAX + 2):
        longer_times, longer_weight = _repeated(runs, size, times) if size <= _HAN_PHRASE_MAX else ({}, {})
        inside: dict[str, int] = {}
        for longer, found in longer_times.items():
            for part in (longer[1:], longer[:-1]):
                inside[part] = max(inside.get(part, 0), found)
        for part, found in times.items():
            if found > inside.get(part, 0):
                yield part, found, weight[part]
        times, weight = longer_times, longer_weight


def _repeated(runs: list[tuple[str, float]], size: int, shorter: dict[str, int] | None):
    """Parts of that size that occur twice or more, with times and weight.

    A part repeats only if what it begins and ends with does, so that `shorter` keeps the tables small.
    """
    times: Counter[str] = Counter()
    weight: dict[str, float] = defaultdict(float)
    for run, value in runs:
        for start in range(len(run) - size + 1):
            part = run[start : start + size]
            if shorter is None or (part[1:] in shorter and part[:-1] in shorter):
                times[part] += 1
                weight[part] += value * size / 2
    return {part: found for part, found in times.items() if found > 1}, weight


def _favour_phrases(times: Counter[str], weight: dict[str, float]) -> None:
    """Puts a phrase before its words where one of them hardly occurs without the other; drops chance pairs."""
    for phrase in [key for key in weight if " " in key]:
        parts = [part for part in phrase.split() if part in weight]
        if times[phrase] < 2:
            del weight[phrase]
        elif parts and times[phrase] >= _FIRM_PHRASE * min(times[part] for part in parts):
            weight[phrase] = max(weight[phrase], *(weight[part] for part in parts)) + 1e-9


def _without_parts(best, weight, times, forms, count: int) -> list[dict]:
    """Leaves out a word that a chosen phrase already says, and a phrase whose words are chosen."""
    chosen: list[dict] = []
    taken: set[str] = set()
    top = weight[best[0]] if best else 1.0
    for key in best:
        if len(chosen) == count:
            break
        parts = key.split()
        if any(part in taken for part in parts):
            continue
        taken.update(parts)
        form, _ = min(forms[key].items(), key=lambda item: (-item[1], item[0]))
        chosen.append({"keyword": form, "count": times[key], "weight": round(weight[key] / top, 3)})
    return chosen
