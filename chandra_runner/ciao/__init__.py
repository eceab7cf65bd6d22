"""CIAO: whether it is here."""
