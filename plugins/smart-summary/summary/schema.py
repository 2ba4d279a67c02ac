"""What is published of the tool: description for models, JSON Schemas (draft 2020-12) of arguments and answer."""

from . import summarize as limits

DRAFT = "https://json-schema.org/draft/2020-12/schema"

DESCRIPTION = f"""Summarises a text by choosing its most central sentences, word for word and in their order \
(extractive: nothing is rewritten or invented), and names its keywords. Give the text itself, not a link: prose of \
{limits.TEXT_CHARACTERS_MIN} to {limits.TEXT_CHARACTERS_MAX} characters, in any language that marks the ends of its \
sentences. Choose the length by `sentences` or by `ratio` (not both); without them about a fifth of the sentences is \
kept, at most seven. `focus` prefers sentences about a subject. Each sentence comes with its position in the text, so \
it can be cited. The same arguments always give the same answer. A text too short to be shortened is refused and not \
charged."""


def _object(properties: dict) -> dict:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


INPUT = {
    "$schema": DRAFT,
    "type": "object",
    "properties": {
        "text": {
            "type": "string",
            "minLength": limits.TEXT_CHARACTERS_MIN,
            "maxLength": limits.TEXT_CHARACTERS_MAX,
            "description": "The text. Paragraphs are told apart by blank lines; Markdown headings and lists are fine.",
        },
        "sentences": {
            "type": "integer",
            "minimum": 1,
            "maximum": limits.SENTENCES_MAX,
            "description": "How many sentences to keep. Must be fewer than the text has.",
        },
        "ratio": {
            "type": "number",
            "minimum": 0.01,
            "maximum": 0.9,
            "description": f"Which part of the sentences to keep, such as 0.1. Never more than {limits.SENTENCES_MAX}.",
        },
        "focus": {
            "type": "string",
            "maxLength": limits.FOCUS_CHARACTERS_MAX,
            "description": "A subject to prefer, in words the text uses.",
        },
        "keywords": {
            "type": "integer",
            "minimum": 0,
            "maximum": limits.KEYWORDS_MAX,
            "default": limits.KEYWORDS_DEFAULT,
            "description": "At most how many keywords to name.",
        },
    },
    "required": ["text"],
    "not": {"required": ["sentences", "ratio"]},
    "additionalProperties": False,
}

OUTPUT = {
    "$schema": DRAFT,
    **_object(
        {
            "summary": {"type": "string", "description": "The chosen sentences in their order."},
            "sentences": {
                "type": "array",
                "items": _object(
                    {
                        "text": {"type": "string"},
                        "index": {"type": "integer", "description": "The sentence's number, from 0, repeated ones left out."},
                        "paragraph": {"type": "integer", "description": "The paragraph's number, from 0."},
                        "start": {"type": "integer", "description": "First character (Unicode code point), from 0."},
                        "end": {"type": "integer", "description": "One past the last character."},
                        "score": {"type": "number", "description": "How central it is: the best of the text is 1."},
                    }
                ),
            },
            "keywords": {
                "type": "array",
                "items": _object(
                    {
                        "keyword": {"type": "string"},
                        "count": {"type": "integer", "description": "How often it occurs."},
                        "weight": {"type": "number", "description": "The first one's is 1."},
                    }
                ),
            },
            "language": {
                "type": ["string", "null"],
                "description": "ISO 639-1 code where it is plain: en de fr es it pt nl ru zh ja.",
            },
            "figures": _object(
                {
                    "characters_in": {"type": "integer"},
                    "characters_out": {"type": "integer"},
                    "words_in": {"type": "integer"},
                    "words_out": {"type": "integer"},
                    "sentences_in": {"type": "integer"},
                    "sentences_out": {"type": "integer"},
                    "percent_kept": {"type": "number", "description": "Characters kept, percent."},
                }
            ),
        }
    ),
}
