"""The benchmark, `python -m bench`: the cost of decisions per call, against a static dialplan in one run."""
