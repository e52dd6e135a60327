"""What a node must know that no snapshot holds: a turn to take, a service to ask. The engine names the question, the caller of
the engine answers it and asks for the same decision again. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """How often has a call come to this group before? Each question counts one. The answer: 0, 1, 2, ..."""

    group: str


@dataclass(frozen=True, slots=True)
class Flip:
    """To which position does the switch move, the next after the one where it stands? The answer: its place among
    `positions`, or NOT_CHANGED. Asked again for the same decision, it moves no further."""

    switch: str
    positions: tuple[str, ...]
    initial: str                     # where it stands before anybody touches it

    def after(self, found: str | None) -> int:
        """The place after the position that live state says."""
        standing = found if found in self.positions else self.initial
        return (self.positions.index(standing) + 1) % len(self.positions)


NOT_CHANGED = -1
Question = Turn | Flip
Answers = Mapping[Question, int]


class Unanswered(Exception):
    """A question that the facts do not answer yet."""

    def __init__(self, question: Question) -> None:
        super().__init__(f"nobody has answered {question}")
        self.question = question
