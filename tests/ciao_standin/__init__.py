"""A stand-in for CIAO: tools that take what CIAO's take, refuse what they refuse, and make real files.

`fixture` writes an installation whose launchers call `tool.main`; there is a module for each tool. Their
arithmetic is that of `chandra_runner.native`, their names, layout, messages and strictness are CIAO's.
"""
