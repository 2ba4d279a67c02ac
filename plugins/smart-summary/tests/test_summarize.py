"""Summaries of whole texts, and the refusals."""

import unittest

from summary import schema, summarize
from summary.summarize import ArgumentError
from tests import texts


class Summaries(unittest.TestCase):
    def test_sentences_are_quoted_in_order_and_can_be_found_again(self):
        for text in texts.ALL:
            result = summarize.summarize({"text": text, "sentences": 3})
            self.assertEqual(len(result["sentences"]), 3)
            starts = [sentence["start"] for sentence in result["sentences"]]
            self.assertEqual(starts, sorted(starts))
            for sentence in result["sentences"]:
                self.assertEqual(" ".join(text[sentence["start"] : sentence["end"]].split()), sentence["text"])
                self.assertIn(sentence["text"], result["summary"])

    def test_what_the_text_is_about_is_chosen_and_the_aside_is_not(self):
        result = summarize.summarize({"text": texts.HEAT_PUMPS, "sentences": 3})
        self.assertIn("heat pump", result["summary"].lower())
        self.assertNotIn("grandmother", result["summary"])
        self.assertEqual(result["language"], "en")

    def test_a_repeated_sentence_is_chosen_once(self):
        repeated = "Heat pumps move heat from the cold outside into the house. "
        result = summarize.summarize({"text": repeated * 4 + texts.HEAT_PUMPS, "sentences": 3})
        chosen = [sentence["text"] for sentence in result["sentences"]]
        self.assertEqual(len(set(chosen)), 3)

    def test_focus_prefers_its_subject(self):
        plain = summarize.summarize({"text": texts.HEAT_PUMPS, "sentences": 1})
        focused = summarize.summarize({"text": texts.HEAT_PUMPS, "sentences": 1, "focus": "noise of the fan"})
        self.assertNotEqual(plain["summary"], focused["summary"])
        self.assertIn("fan", focused["summary"])

    def test_keywords_name_the_subject(self):
        named = [entry["keyword"].lower() for entry in summarize.summarize({"text": texts.HEAT_PUMPS})["keywords"]]
        self.assertTrue(any("heat pump" in name for name in named), named)
        self.assertNotIn("the", named)
        self.assertEqual(summarize.summarize({"text": texts.HEAT_PUMPS, "keywords": 0})["keywords"], [])

    def test_other_languages_and_scripts(self):
        german = summarize.summarize({"text": texts.BEES_DE, "sentences": 2})
        self.assertEqual(german["language"], "de")
        self.assertTrue(any("Bienen" in entry["keyword"] for entry in german["keywords"]), german["keywords"])
        chinese = summarize.summarize({"text": texts.TEA_ZH, "sentences": 2})
        self.assertEqual((chinese["keywords"][0]["keyword"], chinese["language"]), ("茶叶", "zh"))
        self.assertNotIn(" ", chinese["summary"])

    def test_length_by_ratio_and_by_default(self):
        total = summarize.summarize({"text": texts.HEAT_PUMPS, "ratio": 0.5})["figures"]
        self.assertEqual(total["sentences_out"], round(total["sentences_in"] * 0.5))
        default = summarize.summarize({"text": texts.HEAT_PUMPS})["figures"]
        self.assertEqual(default["sentences_out"], round(default["sentences_in"] / 5))

    def test_figures_agree_with_the_summary(self):
        result = summarize.summarize({"text": texts.HEAT_PUMPS, "sentences": 2})
        figures = result["figures"]
        self.assertEqual(figures["characters_in"], len(texts.HEAT_PUMPS))
        self.assertEqual(figures["characters_out"], len(result["summary"]))
        self.assertEqual(figures["words_out"], len(result["summary"].split()))

    def test_the_same_arguments_give_the_same_answer(self):
        arguments = {"text": texts.HEAT_PUMPS, "focus": "winter"}
        self.assertEqual(summarize.summarize(arguments), summarize.summarize(arguments))

    def test_answers_have_the_published_shape(self):
        for text in texts.ALL:
            check(self, schema.OUTPUT, summarize.summarize({"text": text, "sentences": 2}))

    def test_progress_is_told_in_steps(self):
        steps = []
        summarize.summarize({"text": texts.HEAT_PUMPS}, lambda step, message: steps.append(step))
        self.assertEqual(steps, list(range(1, summarize.STEPS + 1)))


class Refusals(unittest.TestCase):
    def refused(self, arguments: dict, part: str) -> None:
        with self.assertRaises(ArgumentError) as caught:
            summarize.summarize(arguments)
        self.assertIn(part, str(caught.exception))

    def test_arguments_that_cannot_be_served(self):
        self.refused({}, "text is missing")
        self.refused({"text": "   "}, "empty")
        self.refused({"text": 7}, "text must be a string")
        self.refused({"text": "x" * 100_001}, "at most 100000")
        self.refused({"text": "- one\n- two\n- three"}, "no sentences")
        self.refused({"text": texts.HEAT_PUMPS, "sentences": 2, "ratio": 0.1}, "exclude each other")
        self.refused({"text": texts.HEAT_PUMPS, "sentences": True}, "sentences must be a number")
        self.refused({"text": texts.HEAT_PUMPS, "sentences": 0}, "1 to 50")
        self.refused({"text": texts.HEAT_PUMPS, "ratio": 0.99}, "0.01 to 0.9")

        self.refused({"text": "Same words again. " * 5000}, "1 different sentence,")

    def test_nothing_is_charged_where_nothing_is_shortened(self):
        self.refused({"text": "One sentence is here. Another one is there.", "sentences": 2}, "nothing to shorten")
        self.refused({"text": "Only one sentence is here."}, "1 different sentence,")


class Hostile(unittest.TestCase):
    def test_odd_texts_neither_fail_nor_take_long(self):
        for text in (
            "a. b. c. " * 3000 + "This is a sentence at last. And another one.",
            "e.g. this " * 9000 + "ends here. Another sentence follows.",
            "((((" * 5000 + " Text follows here. And ends there! Or here?",
            "\u0000\u200b\ufeff strange. Marks here. \U0001f600 Faces too! Is it so?",
            "".join(f"no marks at all in line {n} of a dozen words or even more of them\n" for n in range(50)),
            "word " * 15_000 + "end. Another sentence. And a third.",
        ):
            result = summarize.summarize({"text": text, "sentences": 1})
            self.assertEqual(len(result["sentences"]), 1)


def check(case: unittest.TestCase, shape: dict, value, at: str = "answer") -> None:
    """Enough of JSON Schema for the published shapes; the host checks answers in full."""
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "null": type(None)}
    names = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
    case.assertTrue(any(isinstance(value, kinds[name]) for name in names), at)
    if isinstance(value, dict):
        case.assertEqual(sorted(value), sorted(shape["required"]), at)
        for key, inner in value.items():
            check(case, shape["properties"][key], inner, f"{at}.{key}")
    if isinstance(value, list):
        for inner in value:
            check(case, shape["items"], inner, f"{at}[]")
