"""The kinds of nodes. A new kind is a module here and a field of Elements."""

from pydantic import Field

from routing.nodes.announcement import Announcement
from routing.nodes.call_server import CallServer
from routing.nodes.conditions import Conditions
from routing.nodes.conference import ConferenceRoom
from routing.nodes.dial_internal import DialInternal
from routing.nodes.directory import NameDirectory
from routing.nodes.external import External
from routing.nodes.group import Group
from routing.nodes.hangup import HangUp
from routing.nodes.menu import Menu
from routing.nodes.mobile_access import MobileAccess
from routing.nodes.node import Element
from routing.nodes.outgoing import OUTGOING, Outgoing
from routing.nodes.parking import Parking
from routing.nodes.queue import CallQueue
from routing.nodes.schedule import Schedule
from routing.nodes.set import Set
from routing.nodes.switch import Switch
from routing.nodes.voicemail import VoicemailBox
from routing.numbering.value_types import Name
from yaml_models.strict_model import Part

SYSTEM_NODES = {OUTGOING: Outgoing()}
"""Places that every tenant has, by the names that no element may have."""


class Elements(Part):
    """The sections of a tenant's file that hold elements, by kind. All share one space of names."""

    dial_internal: dict[Name, DialInternal] = Field(default_factory=dict)
    directories: dict[Name, NameDirectory] = Field(default_factory=dict)
    announcements: dict[Name, Announcement] = Field(default_factory=dict)
    menus: dict[Name, Menu] = Field(default_factory=dict)
    groups: dict[Name, Group] = Field(default_factory=dict)
    queues: dict[Name, CallQueue] = Field(default_factory=dict)
    externals: dict[Name, External] = Field(default_factory=dict)
    schedules: dict[Name, Schedule] = Field(default_factory=dict)
    voicemails: dict[Name, VoicemailBox] = Field(default_factory=dict)
    call_servers: dict[Name, CallServer] = Field(default_factory=dict)
    conditions: dict[Name, Conditions] = Field(default_factory=dict)
    switches: dict[Name, Switch] = Field(default_factory=dict)
    conferences: dict[Name, ConferenceRoom] = Field(default_factory=dict)
    mobile_accesses: dict[Name, MobileAccess] = Field(default_factory=dict)
    sets: dict[Name, Set] = Field(default_factory=dict)
    parkings: dict[Name, Parking] = Field(default_factory=dict, max_length=20)
    hangups: dict[Name, HangUp] = Field(default_factory=dict)

    def elements(self) -> list[tuple[str, Name, Element]]:
        """Every element with its section and name."""
        return [
            (section, name, element)
            for section in Elements.model_fields
            for name, element in getattr(self, section).items()
        ]
