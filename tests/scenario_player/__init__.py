"""Plays the scenarios of tests/flows through a real Asterisk."""
