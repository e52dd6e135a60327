"""Scenarios as a receptionist would tell them. Each `<tenant>.scenarios.yaml` beside its tenant's file is played twice: by the
simulator (test_simulated.py) and, with tests/scenario_player/, through a real Asterisk with baresip and SIPp (test_live_*.py)."""
