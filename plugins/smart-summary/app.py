"""The component's face: what `coinop:plugin` asks for, translated to and from the package `summary`.

Everything is imported here at the top: the component is a snapshot, and there is no library on disk at run time.
"""

import json

from componentize_py_types import Err
from summary import schema, summarize
from wit_world import exports
from wit_world.imports import progress
from wit_world.imports.tool_types import (
    Annotations,
    Content_Text,
    Context,
    Effects,
    Failure_Failed,
    Failure_InvalidArguments,
    Failure_Unsupported,
    Money,
    Output,
    Price_PerCall,
    Tool,
)


class Tools(exports.Tools):
    """The plugin's one tool."""

    def list_tools(self) -> list[Tool]:
        return [
            Tool(
                name="summarize",
                title="Summarise a text",
                description=schema.DESCRIPTION,
                input_schema=json.dumps(schema.INPUT, ensure_ascii=False),
                output_schema=json.dumps(schema.OUTPUT, ensure_ascii=False),
                annotations=Annotations(read_only=True, destructive=False, idempotent=True, open_world=False),
                effects=Effects.PURE,
                price=Price_PerCall(Money(amount="0.99", currency="USD")),
                # Nothing is kept from call to call, so an instance may as well serve the next one.
                meta=json.dumps({"coinop/warm": True}),
            )
        ]

    def call_tool(self, name: str, arguments_json: str, context: Context) -> Output:
        if name != "summarize":
            raise Err(Failure_Unsupported(f"this plugin has no tool {name!r}"))
        try:
            return _output(summarize.summarize(json.loads(arguments_json), _report))
        except summarize.ArgumentError as error:
            raise Err(Failure_InvalidArguments(str(error))) from error
        except Exception as error:  # An uncaught exception would be a trap, and its message lost.
            raise Err(Failure_Failed(f"the text could not be summarised ({type(error).__name__})")) from error


def _report(step: int, message: str) -> None:
    progress.report(float(step), float(summarize.STEPS), message)


def _output(result: dict) -> Output:
    figures = result["figures"]
    named = ", ".join(keyword["keyword"] for keyword in result["keywords"])
    kept = (
        f"{figures['sentences_out']} of {figures['sentences_in']} sentences, "
        f"{figures['percent_kept']}% of the characters"
    )
    text = f"{result['summary']}\n\n" + (f"Keywords: {named}\n" if named else "") + f"Kept: {kept}"
    return Output(
        content=[Content_Text(text)],
        structured=json.dumps(result, ensure_ascii=False),
        is_error=False,
        meta=None,
    )
