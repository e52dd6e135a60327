"""YAML syntax errors in plain language. Pure."""

import re

from ruamel.yaml.error import MarkedYAMLError


def explained(error: MarkedYAMLError) -> tuple[int, str]:
    """The line to look at, and what is wrong there."""
    problem, context = str(error.problem or error.context), str(error.context or "")
    at = error.problem_mark or error.context_mark
    line = at.line + 1 if at else 1
    began = error.context_mark.line + 1 if error.context_mark else line
    match problem:
        case "could not find expected ':'":
            return began, "found a name without ':' after it"
        case "mapping values are not allowed here":
            return line, "found a ':' too many, expected quotes around text with ': ' in it; or the line before lacks its ':'"
        case "sequence entries are not allowed here":
            return line, "found a '-' that begins no line, expected it on a line of its own"
        case "found unexpected end of stream" if "quoted" in context:
            return began, "found a quote that is never closed"
        case "but found another document":
            return line, "found '---' and another document, expected one"
        case _ if found := re.fullmatch(r"expected ',' or '([\]}])', but got '(.*)'", problem):
            opened = {"]": "[", "}": "{"}[found[1]]
            return line, f"found no ',' or {found[1]!r} before this, expected one: the {opened!r} of line {began} is still open"
        case _ if problem.startswith("expected <block end>"):
            return line, f"found what belongs to nothing, expected the indentation of line {began}, or quotes around a text"
        case _ if found := re.fullmatch(r"found character '(.*)' that cannot start any token", problem, re.DOTALL):
            if found[1] in ("\t", "\\t"):
                return line, "found a tab, expected spaces"
            return line, f"found {found[1]!r}, expected quotes around text that begins so"
        case _ if found := re.fullmatch(r"found undefined alias '(.*)'", problem):
            return line, f"found '*{found[1]}', expected quotes around text that begins with '*'"
        case _ if found := re.fullmatch(r"found unknown escape character '(.*)'", problem):
            return line, f"found '\\{found[1]}' in double quotes, expected single quotes around text with '\\'"
        case _:
            return line, problem
