"""Says how central each sentence is, and chooses some that do not repeat each other.

LexRank (Erkan and Radev, 2004) without a threshold: sentences vote for those they resemble, by the cosine of their
tf-idf vectors; a walk over that graph gives the ranks. Maximal marginal relevance (Carbonell and Goldstein, 1998)
then weighs a sentence's rank against its likeness to what is already chosen.
"""

import math
from collections import Counter
from dataclasses import dataclass

DAMPING = 0.85
ROUNDS_MAX = 25
TOLERANCE = 1e-4
PAIRS_MAX = 150_000
"""Likenesses added up at most. Frequent terms, which say least, are left out first; this bounds time and memory."""

RELEVANCE = 0.72
"""How much rank counts against novelty, 0 to 1."""

WORDS_OF_A_GOOD_SENTENCE = (7, 45)

Vector = dict[str, float]


@dataclass(frozen=True)
class Candidate:
    """What ranking needs of a sentence."""

    terms: list[str]
    opens_text: bool
    opens_paragraph: bool


def rank(candidates: list[Candidate], focus: list[str]) -> tuple[list[float], list[dict[int, float]]]:
    """Scores from 0 to 1, the best being 1, and for each sentence its likeness to the others (zeros left out).

    `focus` holds the terms of a subject the reader cares about; empty for none.
    """
    weights = _inverse_frequency(candidates)
    vectors = [_unit(candidate.terms, weights) for candidate in candidates]
    likeness = _likeness(vectors)
    scores = _walk(likeness, _preference(vectors, focus, weights))
    best = max(scores, default=0.0) or 1.0
    shaped = [score / best * _shape(candidate) for score, candidate in zip(scores, candidates)]
    best = max(shaped, default=0.0) or 1.0
    return [score / best for score in shaped], likeness


def choose(scores: list[float], likeness: list[dict[int, float]], count: int) -> list[int]:
    """The numbers of `count` sentences in the text's order, good ones that differ from each other."""
    chosen: list[int] = []
    nearest = [0.0] * len(scores)
    left = list(range(len(scores)))
    while left and len(chosen) < count:
        best = max(left, key=lambda i: (RELEVANCE * scores[i] - (1 - RELEVANCE) * nearest[i], -i))
        left.remove(best)
        chosen.append(best)
        for other, value in likeness[best].items():
            nearest[other] = max(nearest[other], value)
    return sorted(chosen)


def _inverse_frequency(candidates: list[Candidate]) -> Vector:
    frequency = Counter(term for candidate in candidates for term in dict.fromkeys(candidate.terms))
    total = len(candidates)
    return {term: math.log((1 + total) / (0.5 + count)) for term, count in frequency.items()}


def _unit(terms: list[str], weights: Vector) -> Vector:
    vector = {term: (1 + math.log(count)) * weights.get(term, 0.0) for term, count in Counter(terms).items()}
    length = math.sqrt(sum(value * value for value in vector.values()))
    return {term: value / length for term, value in vector.items()} if length else {}


def _likeness(vectors: list[Vector]) -> list[dict[int, float]]:
    """Cosines by way of the terms sentences share, so that unlike ones cost nothing."""
    holders: dict[str, list[tuple[int, float]]] = {}
    for number, vector in enumerate(vectors):
        for term, value in vector.items():
            holders.setdefault(term, []).append((number, value))
    likeness: list[dict[int, float]] = [{} for _ in vectors]
    pairs_left = PAIRS_MAX
    for held in sorted(holders.values(), key=len):
        pairs_left -= len(held) * (len(held) - 1) // 2
        if pairs_left < 0:
            break
        for position, (number, value) in enumerate(held):
            row = likeness[number]
            for other, weight in held[:position]:
                shared = row.get(other, 0.0) + value * weight
                row[other] = shared
                likeness[other][number] = shared
    return likeness


def _preference(vectors: list[Vector], focus: list[str], weights: Vector) -> list[float]:
    """Where the walk starts again: anywhere, or rather where the focus is."""
    wanted = _unit(focus, weights)
    hits = [sum(value * vector.get(term, 0.0) for term, value in wanted.items()) for vector in vectors]
    total = sum(hits)
    even = 1 / len(vectors) if vectors else 0.0
    if not total:
        return [even] * len(vectors)
    return [0.1 * even + 0.9 * hit / total for hit in hits]


def _walk(likeness: list[dict[int, float]], preference: list[float]) -> list[float]:
    """The share of time a reader spends at each sentence who goes from like to like."""
    size = len(likeness)
    damping = DAMPING if max(preference, default=0) == min(preference, default=0) else 0.5
    sums = [sum(row.values()) for row in likeness]
    scores = list(preference)
    for _ in range(ROUNDS_MAX):
        lost = sum(score for score, total in zip(scores, sums) if not total)
        flow = [0.0] * size
        for score, total, row in zip(scores, sums, likeness):
            if total:
                share = score / total
                for other, value in row.items():
                    flow[other] += share * value
        updated = [
            (1 - damping + damping * lost) * start + damping * gained for start, gained in zip(preference, flow)
        ]
        moved = sum(abs(new - old) for new, old in zip(updated, scores))
        scores = updated
        if moved < TOLERANCE:
            break
    return scores


def _shape(candidate: Candidate) -> float:
    """Openings say what follows; fragments and monsters make poor summaries."""
    low, high = WORDS_OF_A_GOOD_SENTENCE
    size = len(candidate.terms) * 2
    factor = 1.25 if candidate.opens_text else 1.1 if candidate.opens_paragraph else 1.0
    if size < low:
        factor *= 0.5 + 0.5 * size / low
    if size > high:
        factor *= max(0.5, high / size)
    return factor
