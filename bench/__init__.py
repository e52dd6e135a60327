"""What Centralka costs a call: `python -m bench` measures calls with and without decisions on one Asterisk, in one run."""
