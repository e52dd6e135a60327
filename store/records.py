"""Call records: stored values of a call that has ended. Pure; moments are aware and in UTC."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from routing.call.reasons import Reasons


class Outcome(StrEnum):
    """The outcome of a call for its caller."""

    ANSWERED = "answered"        # a person's device (or a trunk) answered
    VOICEMAIL = "voicemail"      # no device answered, a mailbox did
    MAILBOX = "mailbox"          # a user listened to their own messages
    CONFERENCE = "conference"    # the caller was in a conference room
    UNANSWERED = "unanswered"    # none of these
    INTERRUPTED = "interrupted"  # its end was never read: Asterisk stopped, or its events are lost


@dataclass(frozen=True, slots=True)
class PathEntry:
    """One decision of the call flow: when, at which node, and why it went on as it did."""

    at: datetime
    node: str
    why: Reasons


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call (linkedid), transfers included."""

    tenant: str
    linkedid: str
    started_at: datetime
    answered_at: datetime | None  # when `answered_by` answered
    ended_at: datetime
    caller: str
    caller_name: str
    dialled: str
    answered_by: str | None       # the extension, or the endpoint where none is in its name (a trunk)
    outcome: Outcome
    path: tuple[PathEntry, ...]


@dataclass(frozen=True, slots=True)
class Leg:
    """One channel (uniqueid) of a call."""

    tenant: str
    linkedid: str
    uniqueid: str
    channel: str                  # 'PJSIP/acme-201-desk-00000003'
    endpoint: str                 # 'acme-201-desk'; for other channels the name without its serial number
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    hangup_cause: int | None      # Q.850, as in Asterisk's causes.h; absent when Asterisk stopped before the hang-up


@dataclass(frozen=True, slots=True)
class CelPosition:
    """Where reading the CEL file resumes: the first event of the oldest call that hasn't ended."""

    file: str                     # identity of the file: a digest of its first line, which no two files share
    offset: int                   # bytes
