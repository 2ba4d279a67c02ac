"""What the host calls: the tools in tools.py."""

import tools
from coinop_plugin.export import export

Tools = export(tools)
