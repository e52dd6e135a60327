"""Scenarios on a real Asterisk, Redis and both services, with SIPp and real user agents. See conftest.py."""
