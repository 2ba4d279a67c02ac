"""Tools for coinop: a function with type hints, a docstring and a price.

Everything is imported at the top, here and in plugins: a component is a snapshot of what was imported when it was
built, and there is no library on disk when it runs.
"""

from .bounds import Field
from .content import Audio, Content, Image, Output, Resource, ResourceLink
from .failure import Failure
from .host import Context, meter, progress, required_setting, setting
from .tools import tool

__all__ = [
    "Audio",
    "Content",
    "Context",
    "Failure",
    "Field",
    "Image",
    "Output",
    "Resource",
    "ResourceLink",
    "meter",
    "progress",
    "required_setting",
    "setting",
    "tool",
]
