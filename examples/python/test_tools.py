"""The tests of tools.py, against a service that is made up."""

import json
import unittest
from xml.etree import ElementTree

from coinop_plugin import Failure
from coinop_plugin.host import RawResponse
from coinop_plugin.testing import Host, call

import tools
from versions import Step, step

NEWEST = {"flask": "3.1.2", "attrs": "25.4.0"}


def pypi(request):
    name = request.url.split("/")[-2]
    if name not in NEWEST:
        return RawResponse(404)
    return RawResponse(200, body=json.dumps({"info": {"version": NEWEST[name]}}).encode())


class Outdated(unittest.TestCase):
    def ask(self, least="patch", answer=pypi, **packages):
        with Host(settings={"base_url": "http://pypi.test/pypi"}, answer=answer) as self.host:
            used = [{"name": name, "version": version} for name, version in packages.items()]
            return call(tools.outdated, {"packages": used, "least": least})

    def failure(self, **packages):
        with self.assertRaises(Failure) as failed:
            self.ask(**packages)
        return failed.exception

    def test_what_is_behind_is_told(self):
        answer = self.ask(flask="2.3.0", attrs="25.4.0")
        self.assertEqual(answer.text, "flask 2.3.0 is behind 3.1.2 (major).")
        self.assertEqual(answer.structured["outdated"], 1)
        self.assertEqual([each["step"] for each in answer.structured["packages"]], ["major", "none"])
        self.assertEqual(self.host.requests[0].url, "http://pypi.test/pypi/flask/json")
        self.assertEqual([report[2] for report in self.host.reports], ["asking for flask", "asking for attrs"])

    def test_small_steps_can_be_left_out(self):
        self.assertEqual(self.ask(flask="3.1.0", least="minor").text, "Everything is up to date.")

    def test_who_is_at_fault_is_said(self):
        self.assertEqual(self.failure(flusk="1.0").kind, "invalid-arguments")
        self.assertEqual(self.failure(flask="one").kind, "invalid-arguments")
        self.assertEqual(self.failure(flask="1.0", answer=lambda _: RawResponse(503)).kind, "unavailable")
        other = self.failure(flask="1.0", answer=lambda _: RawResponse(200, body=b"{}"))
        self.assertEqual((other.kind, other.message), ("failed", "KeyError: 'info'"))


class Badge(unittest.TestCase):
    def test_it_shows_the_newest_version(self):
        with Host(settings={"base_url": "http://pypi.test"}, answer=pypi):
            (image,) = call(tools.badge, {"package": "flask"}).content
        self.assertEqual(image.mime_type, "image/svg+xml")
        drawn = ElementTree.fromstring(image.data)
        self.assertEqual([text.text for text in drawn if text.tag.endswith("text")], ["flask", "3.1.2"])


class Versions(unittest.TestCase):
    def test_steps(self):
        for used, newest, expected in [
            ("1.2.3", "1.2.3", Step.NONE),
            ("1.2", "1.2.0", Step.NONE),
            ("2.0", "1.9", Step.NONE),
            ("1.2.3", "1.2.10", Step.PATCH),
            ("1.2.3", "1.3", Step.MINOR),
            ("1.10", "2.0rc1", Step.MAJOR),
        ]:
            self.assertEqual(step(used, newest), expected, (used, newest))
        with self.assertRaises(ValueError):
            step("latest", "1.0")


if __name__ == "__main__":
    unittest.main()
