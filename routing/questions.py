"""What a node must know that no snapshot holds: a turn to take, a service to ask. The engine names the question, the caller of
the engine answers it and asks for the same decision again. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """How often has a call come to this group before? Each question counts one. The answer: 0, 1, 2, ..."""

    group: str


Question = Turn
Answers = Mapping[Question, int]


class Unanswered(Exception):
    """A question that the facts do not answer yet."""

    def __init__(self, question: Question) -> None:
        super().__init__(f"nobody has answered {question}")
        self.question = question
