"""Runs CIAO's tools: finds them, checks and makes their command lines, reads what they print."""
