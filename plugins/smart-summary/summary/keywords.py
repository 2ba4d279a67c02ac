"""The words and two-word phrases a text is about."""

from collections import Counter, defaultdict

from . import words
from .sentences import Sentence

_HAN_PHRASE_MAX = 6
_FIRM_PHRASE = 0.6
"""The part of a word's occurrences that lie in the phrase."""


def extract(sentences: list[Sentence], scores: list[float], stopwords: frozenset[str], count: int) -> list[dict]:
    """At most `count` keywords, best first: `keyword` as most often written, how often, and a weight up to 1."""
    weight: dict[str, float] = defaultdict(float)
    times: Counter[str] = Counter()
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence, score in zip(sentences, scores):
        for key, form, bonus in _candidates(sentence.text, stopwords):
            weight[key] += (0.3 + score) * bonus
            times[key] += 1
            forms[key][form] += 1
    _keep_longest_wide(times, weight)
    _favour_phrases(times, weight)
    if any(times[key] > 1 for key in weight):
        weight = {key: value for key, value in weight.items() if times[key] > 1}
    best = sorted(weight, key=lambda key: (-weight[key], key))
    return _without_parts(best, weight, times, forms, count)


def _candidates(text: str, stopwords: frozenset[str]):
    previous = None
    position = 0
    for match in words.WORD.finditer(text):
        word = match.group()
        wide = words.WIDE_LETTER.search(word) is not None
        silent = wide or words.is_function_word(word, stopwords) or word[0].isdigit()
        if not silent:
            key = words.stem(word)
            if len(word) > 2:
                yield key, word, 1.0
            if previous is not None and text[position : match.start()] == " ":
                yield f"{previous[0]} {key}", f"{previous[1]} {word}", 1.0
            previous = (key, word)
        else:
            previous = None
        position = match.end()
    for run in words.WIDE_RUN.findall(text):
        for size in range(2, min(len(run), _HAN_PHRASE_MAX) + 1):
            for start in range(len(run) - size + 1):
                yield run[start : start + size], run[start : start + size], size / 2


def _keep_longest_wide(times: Counter[str], weight: dict[str, float]) -> None:
    """Drops runs of Han characters that occur once, or only inside a longer one that occurs as often."""
    covered: dict[str, int] = {}
    for key in sorted((key for key in times if words.WIDE_RUN.fullmatch(key)), key=len, reverse=True):
        if times[key] < 2 or times[key] <= covered.get(key, 0):
            weight.pop(key, None)
        for part in (key[1:], key[:-1]):
            covered[part] = max(covered.get(part, 0), times[key])


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
