"""Downloading ObsIDs from archives."""
