"""Revisions on disk, Asterisk's database, and reloads."""
