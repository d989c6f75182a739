"""Sentences as numbers: character grams, WordPiece and a small sentence encoder."""
