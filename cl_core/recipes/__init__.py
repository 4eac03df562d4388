"""Recipes: which router, trainer, composition and initialiser, and what follows before anything runs."""
