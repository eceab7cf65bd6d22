"""A plugin whose import fails."""

raise RuntimeError("this plugin was written for another world")
