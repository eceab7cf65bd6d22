"""Recipes: YAML with positions, inheritance, schemas, checks."""
