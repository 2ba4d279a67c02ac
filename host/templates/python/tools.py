"""The tools of {{name}}.

Import everything here at the top: the component is a snapshot of what was imported when it was built.
"""

from typing import Annotated

from coinop_plugin import Failure, setting, tool


@tool(name="{{identifier}}", price="0.01 USD", effects="pure")
def greet(name: Annotated[str, "Who is greeted."]) -> str:
    """Greets somebody by name."""
    if not name.strip():
        raise Failure.invalid("`name` is empty: say who is greeted")
    greeting = setting("greeting", "Hello")
    return f"{greeting}, {name.strip()}!"
