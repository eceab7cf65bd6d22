"""Searching the archives' catalogs."""
