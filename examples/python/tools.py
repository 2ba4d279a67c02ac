"""Tells which Python packages are out of date: a schema from types, progress, a setting, outgoing HTTP, a picture,
failures.

Everything is imported here at the top: the component is a snapshot of what was imported when it was built.
"""

from dataclasses import dataclass
from typing import Annotated

from coinop_plugin import Failure, Field, Image, progress, required_setting, tool
from coinop_plugin.http import fetch

from badges import badge_of
from versions import Step, step

Name = Annotated[str, "Its name on PyPI.", Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]


@dataclass
class Package:
    """A package as it is used."""

    name: Name
    version: Annotated[str, "The version in use, such as 2.31.0.", Field(pattern=r"^[0-9]", max_length=50)]


@dataclass
class Finding:
    """What is known of one package."""

    name: str
    used: str
    newest: str
    step: Step


@dataclass
class Report:
    """What is known of all of them."""

    packages: list[Finding]
    outdated: Annotated[int, "How many of them have a newer version."]


@tool(price="0.02 USD", effects="idempotent", read_only=True, open_world=True)
def outdated(
    packages: Annotated[list[Package], "The packages in use.", Field(min_length=1, max_length=20)],
    least: Annotated[Step, "Smaller steps are not reported as outdated."] = Step.PATCH,
) -> tuple[str, Report]:
    """Looks up the newest version of Python packages, and tells which of those in use are out of date, and how far."""
    findings = []
    for number, package in enumerate(packages):
        progress(number, len(packages), f"asking for {package.name}")
        newest = _newest(package.name)
        findings.append(Finding(package.name, package.version, newest, step(package.version, newest)))
    steps = list(Step)
    old = [each for each in findings if each.step != Step.NONE and steps.index(each.step) >= steps.index(least)]
    lines = [f"{each.name} {each.used} is behind {each.newest} ({each.step.value})." for each in old]
    return "\n".join(lines) or "Everything is up to date.", Report(findings, len(old))


@tool(price="0.01 USD", effects="idempotent", read_only=True, open_world=True)
def badge(package: Name) -> Image:
    """Draws a badge with the newest version of a Python package, as an SVG picture."""
    return Image(badge_of(package, _newest(package)), "image/svg+xml")


def _newest(name: str) -> str:
    base_url = required_setting("base_url")
    answer = fetch(f"{base_url}/{name}/json", headers={"accept": "application/json"})
    if answer.status == 404:
        raise Failure.invalid(f"there is no package {name!r}")
    return answer.success().json()["info"]["version"]
