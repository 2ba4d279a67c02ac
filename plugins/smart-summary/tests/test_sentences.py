"""Sentence boundaries: each text is written with `|` where a sentence ends."""

import unittest

from summary import sentences


def cut(marked: str) -> None:
    """Asserts that the text without its bars is cut exactly at the bars."""
    expected = [" ".join(part.split()) for part in marked.split("|") if part.strip()]
    text = marked.replace("|", "")
    found = sentences.split(text)
    case = unittest.TestCase()
    case.assertEqual([sentence.text for sentence in found], expected)
    for sentence in found:
        case.assertEqual(" ".join(text[sentence.start : sentence.end].split()), sentence.text)


class Boundaries(unittest.TestCase):
    def test_abbreviations_and_initials_go_on(self):
        cut("Dr. Smith met J. R. Tolkien at 5 p.m. in Washington.| They left.|")
        cut("Prices rose, e.g. for bread, vs. last year's.| See Fig. 3 and No. 7.| No.| It is art.| We agree.|")
        cut("He works at Acme Inc. in Ohio.| She left Acme Inc.| The firm closed.|")
        cut("The U.S. Senate voted.| He lives in the U.S.| It is large.|")

    def test_decimals_versions_and_addresses_go_on(self):
        cut("Pi is 3.14159 and version 2.0.1 is at example.com/a.b today.| It costs $1.50.| Done now.|")

    def test_german_ordinals_and_abbreviations_go_on(self):
        cut("Am 3. Oktober 1990, d.h. vor langer Zeit, feierte man z.B. in Berlin.| Es war 1990.| Alle kamen.|")

    def test_quotes_and_brackets_close_with_the_sentence(self):
        cut('"It works!" she said.| "Really?"| (He had doubts.)| “Yes.”| All was well.|')
        cut("„Es geht.“| Das sagte er.| « C'est fini. »| Il partit.|")

    def test_marks_in_the_middle_of_a_sentence(self):
        cut("Yahoo! and Jeopardy! are names...| Wait… what?| No!?| The end.|")

    def test_references_stay_with_their_sentence(self):
        cut("Water boils at 100 degrees.[12][13]| Steam rises.[4]| It condenses.|")

    def test_scripts_with_marks_of_their_own(self):
        cut("吾輩は猫である。|名前はまだ無い。|「どこで生れたか。」と聞いた。|")
        cut("今天天气很好。|我们去公园吧！|你来吗？|")
        cut("यह पहला वाक्य है।| यह दूसरा है।|")
        cut("هل هذا صحيح؟| نعم، هذا صحيح.|")
        cut("Москва — столица России, т.е. главный город.| В ней живут люди.|")


class Layout(unittest.TestCase):
    def test_headings_are_no_sentences_and_list_items_stand_alone(self):
        text = "# Title of it all\nFirst sentence\nwraps here. Second one.\n\nA caption\n\n- An item.\n- Another item.\n1. Third item.\n"
        found = [sentence.text for sentence in sentences.split(text)]
        self.assertEqual(
            found,
            ["First sentence wraps here.", "Second one.", "An item.", "Another item.", "Third item."],
        )

    def test_paragraphs_are_counted_also_with_windows_line_ends(self):
        found = sentences.split("One is here. Two is here.\r\n\r\nThree is here.")
        self.assertEqual([sentence.paragraph for sentence in found], [0, 0, 1])
        self.assertEqual([sentence.opens_paragraph for sentence in found], [True, False, True])

    def test_nothing_to_cut(self):
        for text in ("", "   \n\n ", "...", "1. 2. 3.", "A heading"):
            self.assertEqual(sentences.split(text), [], text)
