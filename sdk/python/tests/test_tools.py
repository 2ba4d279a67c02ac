"""What the decorator makes of a function, and what a run makes of what it does."""

import contextlib
import io
import types
import unittest
from dataclasses import dataclass
from typing import Annotated, Any

from coinop_plugin import Context, Failure, Image, Output, meter, progress, required_setting, setting, tool
from coinop_plugin.host import RawResponse
from coinop_plugin.http import fetch
from coinop_plugin.testing import Host, call
from coinop_plugin.tools import described, found_in


@dataclass
class Total:
    total: int


@tool(price="0.10 USD", title="Add up", effects="pure")
def add(numbers: Annotated[list[int], "Which."], context: Context, twice: bool = False) -> tuple[str, Total]:
    """Adds numbers.

    All of them.
    """
    total = sum(numbers) * (2 if twice else 1)
    return f"{context.call_id}: {total}", Total(total)


def returning(value):
    @tool()
    def it() -> Any:
        """Gives something back."""
        return value

    return call(it, {})


def raising(error):
    @tool()
    def it():
        """Goes wrong."""
        raise error

    with contextlib.redirect_stderr(io.StringIO()) as told:
        try:
            call(it, {})
        except Failure as failure:
            return failure, told.getvalue()
    raise AssertionError("there was no failure")


class Decorator(unittest.TestCase):
    def test_a_function_says_what_it_is(self):
        tool = described(add)
        self.assertEqual((tool.listing.name, tool.listing.title), ("add", "Add up"))
        self.assertEqual(tool.listing.description, "Adds numbers.\n\nAll of them.")
        self.assertEqual((tool.listing.price, tool.listing.read_only), (("0.10", "USD"), True))
        self.assertEqual(list(tool.input_schema["properties"]), ["numbers", "twice"])
        self.assertEqual(tool.input_schema["required"], ["numbers"])
        self.assertIs(tool.input_schema["additionalProperties"], False)
        self.assertEqual(tool.output_schema["properties"], {"total": {"type": "integer"}})

    def test_prices(self):
        def priced(price):
            return tool(price=price, description="It.")(lambda: None).__coinop_listing__.price

        self.assertEqual(priced("0.003 USDC"), ("0.003", "USDC"))
        self.assertEqual(priced("free"), ("0", ""))
        self.assertIsNone(priced(None))
        for wrong in ("", "1", "USD 1", "1 usd", "0 USD", "0.00 USD", "-1 USD", "1.0000000001 USD", "1e3 USD"):
            with self.subTest(price=wrong), self.assertRaisesRegex(ValueError, "0.10 USD"):
                priced(wrong)

    def test_what_cannot_be_a_tool_is_refused_by_name(self):
        def bare(x: int): ...

        def hintless(x):
            """It."""

        def starred(*numbers: int):
            """It."""

        def unknown(x: bytes):
            """It."""

        async def later():
            """It."""

        for function, words in [
            (bare, "bare has no description"),
            (hintless, "hintless: the parameter 'x' has no type hint"),
            (starred, "'numbers' cannot be given by name"),
            (unknown, "unknown: x: bytes has no JSON Schema"),
            (later, "later is async"),
        ]:
            with self.subTest(function=function.__name__), self.assertRaisesRegex(TypeError, words):
                described(tool()(function))

    def test_a_modules_tools_are_found_in_their_order(self):
        module = types.ModuleType("some")
        with self.assertRaisesRegex(TypeError, "no function of some has @tool"):
            found_in(module)

        @tool()
        def first() -> str:
            """One."""
            return "1"

        module.first, module.other, module.second, module.again = first, len, add, first
        self.assertEqual([tool.function for tool in found_in(module)], [first, add])


class Running(unittest.TestCase):
    def test_arguments_become_values_and_the_context_is_given(self):
        answer = call(add, {"numbers": [1, 2.0], "twice": True}, Context("c1", 5))
        self.assertEqual((answer.text, answer.structured), ("c1: 6", {"total": 6}))

    def test_wrong_arguments_never_reach_the_function(self):
        for arguments, words in [({}, "`numbers` is missing"), ({"numbers": ["1"]}, "`numbers[0]` is not an integer")]:
            with self.assertRaises(Failure) as failed:
                call(add, arguments)
            self.assertEqual((failed.exception.kind, failed.exception.message), ("invalid-arguments", words))

    def test_answers(self):
        picture = Image(b"\x89PNG", "image/png")
        for value, content, structured in [
            ("text", ["text"], None),
            (3, ["3"], None),
            ({"a": Total(1)}, [], {"a": {"total": 1}}),
            (Total(1), [], {"total": 1}),
            (picture, [picture], None),
            (["one", picture, "two"], ["one", picture, "two"], None),
            (("words", Total(2)), ["words"], {"total": 2}),
            (Output(["x"], Total(3)), ["x"], {"total": 3}),
        ]:
            with self.subTest(value=value):
                answer = returning(value)
                self.assertEqual((answer.content, answer.structured), (content, structured))
        self.assertTrue(returning(Output(["no such city"], is_error=True)).is_error)

    def test_what_is_no_answer_is_a_failure(self):
        for value, words in [
            (None, "NoneType"),
            ([], "answered nothing"),
            ([Total(1), Total(2)], "one structured part"),
            (b"bytes", "bytes cannot be written as JSON"),
            ({"a": float("nan")}, "nan is no JSON number"),
            (float("nan"), "nan is no JSON number"),
            (["words", float("-inf")], "-inf is no JSON number"),
            ({1: 2}, "key 1 is no string"),
        ]:
            with self.subTest(value=value), contextlib.redirect_stderr(io.StringIO()):
                with self.assertRaises(Failure) as failed:
                    returning(value)
                self.assertEqual(failed.exception.kind, "failed")
                self.assertIn(words, failed.exception.message)

    def test_any_exception_is_a_failure_and_its_traceback_is_for_the_log(self):
        class Silent(Exception):
            def __str__(self):
                raise RuntimeError("no words")

        for error, words in [
            (KeyError("rate"), "KeyError: 'rate'"),
            (ValueError(), "ValueError"),
            (SystemExit(3), "SystemExit: 3"),
            (Silent(), "Silent"),
        ]:
            with self.subTest(error=type(error).__name__):
                failure, told = raising(error)
                self.assertEqual((failure.kind, failure.message), ("failed", words))
                self.assertIn("in it\n", told)
        failure, told = raising(Failure("denied", "not you"))
        self.assertEqual((failure.kind, failure.message, told), ("denied", "not you", ""))

    def test_failures_have_known_kinds(self):
        self.assertEqual(Failure.unavailable("later", 500).retry_after_ms, 500)
        with self.assertRaisesRegex(ValueError, "timed-out"):
            Failure("late", "x")


class Hosted(unittest.TestCase):
    def test_without_a_host_nobody_listens(self):
        progress(1)
        self.assertTrue(meter("page", 1))
        self.assertEqual((setting("a"), setting("a", "b")), (None, "b"))
        with self.assertRaisesRegex(Failure, "has not set 'a'"):
            required_setting("a")
        with self.assertRaisesRegex(Failure, "no host"):
            fetch("https://example.com")

    def test_requests_are_put_together(self):
        def answer(request):
            return RawResponse(201, [("Vary", "a"), ("vary", "b")], b'{"a": "\xc3\xbc"}')

        with Host(answer=answer) as host:
            got = fetch("http://a.test/b?c=1", method="post", query={"d": "e f"}, headers={"x": "y"}, json={"ü": 1})
        (sent,) = host.requests
        self.assertEqual((sent.method, sent.url), ("POST", "http://a.test/b?c=1&d=e+f"))
        self.assertEqual(sent.headers, [("x", "y"), ("content-type", "application/json")])
        self.assertEqual(sent.body.decode(), '{"ü": 1}')
        self.assertEqual((got.status, got.headers["vary"], got.json()), (201, "a, b", {"a": "ü"}))
        self.assertIs(got.success(), got)

    def test_bad_answers_are_failures(self):
        with Host(answer=lambda _: RawResponse(503, body=b"<html>")):
            got = fetch("http://a.test")
        self.assertEqual(got.text(), "<html>")
        for ask, kind in [(got.success, "unavailable"), (got.json, "failed")]:
            with self.assertRaises(Failure) as failed:
                ask()
            self.assertEqual(failed.exception.kind, kind)

    def test_hosts_can_be_nested(self):
        with Host({"a": "1"}):
            with Host({"a": "2"}) as inner:
                progress(1, 2, "half")
                self.assertEqual((setting("a"), inner.reports), ("2", [(1.0, 2.0, "half")]))
            self.assertEqual(setting("a"), "1")
        self.assertIsNone(setting("a"))
