"""Regions on the sky: the shapes that CIAO writes, and which pixels lie inside them."""
