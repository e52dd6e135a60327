"""Second path of Asterisk's channel events, over AMI: an event that the CEL file lacks, as when its disk is full, is taken from
here.

Unlike the file, an AMI event holds text of callers' choice, and a line feed in it could begin an event of the caller's own. So
this is a connection of its own, from which nothing else is read. An event must have exactly the headers that Asterisk writes,
in its order. A caller's text has at most 80 characters: one that breaks an event cannot complete it. At the first event that is
incomplete or has other headers the connection ends, and with it everything behind it.
"""

import re
from datetime import UTC, datetime
from typing import Final

from panoramisk.message import Message

from ami.client import AmiClient
from ami.records.events import CelError, CelEvent, encode, parse_event
from ami.records.follower import CelFollower

HEADERS: Final = (
    "Event", "Privilege", "EventName", "AccountCode", "CallerIDnum", "CallerIDname", "CallerIDani", "CallerIDrdnis",
    "CallerIDdnid", "Exten", "Context", "Channel", "Application", "AppData", "EventTime", "AMAFlags", "UniqueID", "LinkedID",
    "TenantID", "Userfield", "Peer", "PeerAccount", "UserDefType", "Extra")
_FIELDS: Final = (       # in the order of ami.cel.FIELDS; none is of a caller's choice
    "EventName", "EventTime", "Channel", "Application", "AccountCode", "UniqueID", "LinkedID", "UserDefType", "Extra",
    "TenantID")
SOMETIMES: Final = frozenset({"TenantID", "UserDefType", "Extra"})
_CONTROL: Final = re.compile(r"[\0-\x1f\x7f]")


class SecondPath:
    """Hands the events of `ami`, a connection for CEL alone, to the follower of the file."""

    def __init__(self, ami: AmiClient, follower: CelFollower) -> None:
        self._ami, self._follower = ami, follower
        ami.on_event("CEL", self._take)

    def _take(self, message: Message) -> None:
        try:
            event = event_of(message, datetime.now(UTC))
        except CelError as error:
            self._ami.drop(f"an event of a channel is not as Asterisk writes it: {error}")
        else:
            self._follower.note_from_ami(event)


def event_of(message: Message, now: datetime) -> CelEvent:
    """Its time is when it arrived: Asterisk's has whole seconds and no time zone. Raises CelError for what Asterisk does not
    write."""
    names = tuple(name for name in message if name != "content")         # panoramisk's own
    if names != tuple(name for name in HEADERS if name in names or name not in SOMETIMES):
        raise CelError(f"found the headers {', '.join(names)[:300]}")
    of = {name: str(message[name]) for name in _FIELDS if name in names}
    fields = [of.get(name, "") for name in _FIELDS]
    fields[1] = f"{now.timestamp():.6f}"
    if any(isinstance(value, list) for value in message.values()) or any(map(_CONTROL.search, fields)):
        raise CelError("found a header twice, or a control character")
    return parse_event(encode(fields))
