"""From a sentence to the words that carry its meaning.

Written words are lower-cased, freed from a plural or possessive ending and kept unless they are function words of
the text's language. Chinese and Japanese have no blanks: runs of Han and Katakana become pairs of characters.
"""

import re
from collections import Counter

from .stopwords import STOPWORDS

_MARKS_OF_LETTERS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e"
)
_LETTER = rf"(?:[^\W_]|[{_MARKS_OF_LETTERS}])"
WORD = re.compile(rf"{_LETTER}+(?:['’\-]{_LETTER}+)*")
_SILENT_HAN = "的了是很们着也"
_WIDE_CONTENT = rf"(?![{_SILENT_HAN}])[\u30a1-\u30fe\u3400-\u4dbf\u4e00-\u9fff]"
WIDE_RUN = re.compile(rf"(?:{_WIDE_CONTENT})+")
_KANA = re.compile(r"[\u3040-\u30ff]")
WIDE_LETTER = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_ASCII_WORD = re.compile(r"[a-z]+\Z")


def written_words(text: str) -> list[str]:
    """The words as they are written."""
    return WORD.findall(text)


def count_words(text: str) -> int:
    """Words of the text; in Chinese and Japanese each character counts as one."""
    wide = len(WIDE_LETTER.findall(text))
    return wide + len(WORD.findall(WIDE_LETTER.sub(" ", text)))


def language(text: str) -> str | None:
    """The language whose function words are most frequent, as an ISO 639-1 code; `None` when none stands out.

    Chinese and Japanese are told by their letters.
    """
    wide = len(WIDE_LETTER.findall(text))
    if wide * 2 > sum(character.isalpha() for character in text):
        return "ja" if len(_KANA.findall(text)) * 20 > wide else "zh"
    counts = Counter(word.lower() for word in WORD.findall(text))
    total = sum(counts.values())
    hits = {code: sum(counts[word] for word in words) for code, words in STOPWORDS.items()}
    best = max(hits, key=lambda code: (hits[code], code))
    return best if hits[best] >= max(3, 0.15 * total) else None


def stem(word: str) -> str:
    """A word without case, possessive and, where it looks English or Romance, plural."""
    word = word.lower().replace("’", "'")
    word = word.removesuffix("'s")
    if not _ASCII_WORD.match(word) or len(word) < 4:
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def is_function_word(word: str, stopwords: frozenset[str]) -> bool:
    """Whether a written word says nothing about the subject."""
    lower = word.lower().replace("’", "'")
    return lower in stopwords or (len(lower) == 1 and not lower.isdigit()) or lower.split("'")[-1] in ("ll", "re", "ve")


def terms(text: str, stopwords: frozenset[str]) -> list[str]:
    """What a sentence is about, in order, repeats included."""
    found: list[str] = []
    for word in WORD.findall(text):
        if WIDE_LETTER.search(word):
            for run in WIDE_RUN.findall(word):
                found.extend(run[i : i + 2] for i in range(max(1, len(run) - 1)))
        elif not is_function_word(word, stopwords):
            found.append(stem(word))
    return found
