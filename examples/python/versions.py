"""Compares versions of Python packages by their numbers; what follows them, such as rc1, does not count."""

import re
from enum import Enum

_NUMBERS = re.compile(r"(?:\d+!)?v?(\d+(?:\.\d+)*)")


class Step(Enum):
    """How far a newer version is."""

    NONE = "none"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


def step(used: str, newest: str) -> Step:
    """How far it is from one version to the other; no step backwards. Raises ValueError for what is no version."""
    before, after = _numbers(used), _numbers(newest)
    if after <= before:
        return Step.NONE
    for place, kind in enumerate((Step.MAJOR, Step.MINOR)):
        if before[place] != after[place]:
            return kind
    return Step.PATCH


def _numbers(version: str) -> list[int]:
    found = _NUMBERS.match(version)
    if not found:
        raise ValueError(f"{version!r} is no version")
    numbers = [int(number) for number in found[1].split(".")]
    return numbers + [0] * (4 - len(numbers))
