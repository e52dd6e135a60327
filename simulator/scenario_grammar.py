"""Grammar of scenarios: words for phones, the caller's actions, moments and the call's end. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from routing.call.facts import DeviceState
from routing.numbering.numbers import ANONYMOUS
from yaml_models.patterns import LINE, matching

NOTHING = "presses nothing"
PRESSES, HANGS_UP = r"presses ([0-9*#]{1,32})", r"hangs up in ([a-z0-9_]+)"
SAYS = r"says ([^\W\d_](?:[ '-]?[^\W\d_]){0,59})"
SAYS_IN_SCHEMA = "says .{1,120}"            # JSON Schema patterns cannot match letters of every alphabet
AFTER = r"answers after ([1-9][0-9]?) s"
TRANSFERS = r"([0-9]{2,6}) transfers to ([0-9*#+]{1,20})"
ASKS = r"([0-9]{2,6}) asks ([0-9*#+]{1,20}) and (hands over|comes back)"
MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}"
ENDING = (r"(answered by|message for|mailbox of) [0-9]{2,6}|(answered by|to be called back at) \+[0-9]{7,15}"
          r"|in conference [a-z0-9_]+|refused|caller hangs up|failover")


class PhoneDoes(StrEnum):
    ANSWERS = "answers"
    RINGS = "rings"                          # and nobody answers
    BUSY = "busy"                            # registered, and says busy when it is called (486)
    DECLINES = "declines"                    # registered, and refuses when it is called (603)
    REDIRECTS = "redirects"                  # answers with 302, which is not followed: it counts as busy
    IN_A_CALL = "in a call"                  # and does not accept a second one
    UNREGISTERED = "unregistered"
    NO_KEY = "answers without a key"         # external: a mobile network's voicemail; with confirmation it gets no call


STATES = {
    PhoneDoes.ANSWERS: DeviceState.IDLE,
    PhoneDoes.RINGS: DeviceState.IDLE,
    PhoneDoes.BUSY: DeviceState.IDLE,
    PhoneDoes.DECLINES: DeviceState.IDLE,
    PhoneDoes.REDIRECTS: DeviceState.IDLE,
    PhoneDoes.IN_A_CALL: DeviceState.IN_USE,
    PhoneDoes.UNREGISTERED: DeviceState.UNAVAILABLE,
    PhoneDoes.NO_KEY: DeviceState.IDLE,
}
"""The known state of a phone before it is called."""


@dataclass(frozen=True, slots=True)
class PhoneBehaviour:
    """The behaviour of all devices of a user. `after_s` applies to one that answers."""

    does: PhoneDoes
    after_s: int = 0


@dataclass(frozen=True, slots=True)
class Presses:
    keys: str                                # '' for nothing


@dataclass(frozen=True, slots=True)
class Says:
    words: str                               # a name, as the tenant's file spells it


@dataclass(frozen=True, slots=True)
class HangsUp:
    """At the first wait in this node, once all keys have been pressed."""

    node: str


class Handing(StrEnum):
    """The way in which a user transfers a call."""

    BLIND = "transfers"
    ASKED = "hands over"                     # having asked there
    NOT = "comes back"                       # having asked there


@dataclass(frozen=True, slots=True)
class Transfers:
    """A transfer by a party of the conversation: by code, as on the telephone."""

    by: str                                  # an extension
    to: str                                  # the dialled number
    how: Handing


def parse_phone(text: object) -> PhoneBehaviour:
    """Raises ValueError that says what was expected."""
    if isinstance(text, str):
        if delayed := re.fullmatch(AFTER, text, re.ASCII):
            return PhoneBehaviour(PhoneDoes.ANSWERS, int(delayed[1]))
        if text in set(PhoneDoes):
            return PhoneBehaviour(PhoneDoes(text))
    raise ValueError(f"expected {', '.join(PhoneDoes)} or answers after 2 s")


def parse_action(text: object) -> Presses | Says | HangsUp:
    """Raises ValueError that says what was expected."""
    if isinstance(text, str):
        if text == NOTHING:
            return Presses("")
        if pressed := re.fullmatch(PRESSES, text, re.ASCII):
            return Presses(pressed[1])
        if spoken := re.fullmatch(SAYS, text):
            return Says(spoken[1])
        if gone := re.fullmatch(HANGS_UP, text, re.ASCII):
            return HangsUp(gone[1])
    raise ValueError("expected presses 1, presses nothing, says Kowalska, or hangs up in main")


def parse_transfer(text: object) -> Transfers:
    """Raises ValueError that says what was expected."""
    if isinstance(text, str):
        if blind := re.fullmatch(TRANSFERS, text, re.ASCII):
            return Transfers(blind[1], blind[2], Handing.BLIND)
        if asked := re.fullmatch(ASKS, text, re.ASCII):
            return Transfers(asked[1], asked[2], Handing(asked[3]))
    raise ValueError("expected 201 transfers to 203, 201 asks 203 and hands over, or 201 asks 203 and comes back")


def parse_moment(text: object) -> datetime:
    """'2026-12-24 10:00' as local time. Raises ValueError that says what was expected."""
    if isinstance(text, str) and re.fullmatch(MOMENT, text, re.ASCII):
        return datetime.fromisoformat(text)
    raise ValueError("expected a day and a time such as 2026-12-24 10:00")


def parse_ending(text: object) -> object:
    """Raises ValueError that says what was expected."""
    if isinstance(text, str) and re.fullmatch(ENDING, text, re.ASCII):
        return text
    raise ValueError(
        "expected answered by 201, message for 201, mailbox of 201, in conference room, refused, caller hangs up "
        "or failover")


def _schema(*patterns: str, examples: tuple[str, ...]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(patterns)})$", "examples": list(examples)})


Moment = Annotated[datetime, PlainValidator(parse_moment), _schema(MOMENT, examples=("2026-11-25 10:00",))]
Action = Annotated[
    Presses | Says | HangsUp, PlainValidator(parse_action),
    _schema(NOTHING, PRESSES, SAYS_IN_SCHEMA, HANGS_UP, examples=("presses 1", NOTHING, "says Kowalska", "hangs up in main"))]
Talk = Annotated[
    Transfers, PlainValidator(parse_transfer),
    _schema(TRANSFERS, ASKS, examples=("201 transfers to 203", "201 asks 203 and hands over", "201 asks 203 and comes back"))]
Cast = Annotated[
    PhoneBehaviour, PlainValidator(parse_phone), _schema(*PhoneDoes, AFTER, examples=(*PhoneDoes, "answers after 2 s"))]
Ending = Annotated[
    str, BeforeValidator(parse_ending),
    _schema(ENDING, examples=(
        "answered by 201", "message for 201", "mailbox of 201", "refused", "caller hangs up", "failover"))]
Number = Annotated[str, matching(r"^[0-9*#+]{1,20}$", "a number of digits, *, # and +")]
From = Annotated[str, matching(rf"^([0-9*#+]{{1,20}}|{ANONYMOUS})$", f"a number, a user's extension or {ANONYMOUS}")]
Heard = Annotated[str, matching(
    r"^[a-z][a-z0-9_]{0,30}(\.(en|it|pl))?$", "a prompt such as welcome, or welcome.it in a language")]
Title = Annotated[str, matching(r"^[^\x00-\x1f\x7f]{1,120}$", LINE)]
