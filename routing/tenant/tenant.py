"""Tenant: one company's users, numbers, trunks and call flow, with look-ups. Pure."""

import re
from collections.abc import Mapping
from functools import cached_property

from routing.call.admission import Caps, caps
from routing.call.facts import Forwarding
from routing.hunt.hunting import Algorithm, Seat, seats
from routing.hunt.ring_rules import CallKind, Ways, ways
from routing.nodes.node import Element, Lot
from routing.nodes.user import Shows, User
from routing.nodes.when import When
from routing.numbering.dialled import CallClass, class_of
from routing.numbering.endpoint import PLATFORM, DeviceEndpoint, TrunkEndpoint, UserDevice, read_device
from routing.numbering.number_list import NumberSet
from routing.numbering.numbers import country_code, e164, emergency_numbers, find_did, is_emergency, may_be_called, with_country
from routing.numbering.value_types import DeviceName, Did, Extension, Name, Target
from routing.platform.platform import STANDARD
from routing.platform.subscription import Terms, terms_of
from routing.platform.trunks import CarrierTrunk, OwnTrunk
from routing.speech.phrases import Language
from routing.speech.prompts import PHRASES_OF, Prompt, name_of_element, name_of_user, phrase_prompts
from routing.tenant.routes import trunks_for
from routing.tenant.tenant_file import TenantFile


class Tenant(TenantFile):
    @cached_property
    def nodes(self) -> dict[str, Element | User]:
        """Every node of the tenant, by element name or extension of a user."""
        inner = {number: node for _, name, element in self.elements() for number, node in element.inner_nodes(name).items()}
        return {**inner, **self.users, **{name: element for _, name, element in self.elements()}}

    @cached_property
    def internal_numbers(self) -> dict[Extension, str]:
        """The node of `nodes` that each internal number reaches."""
        named = {element.extension: name for _, name, element in self.elements() if element.extension}
        inner = {number: number for _, name, element in self.elements() for number in element.inner_nodes(name)}
        return {**inner, **named, **{extension: extension for extension in self.users}}

    @cached_property
    def park_extension(self) -> str:
        """The extension at which a phone's code parks its call, '' if there is none."""
        return next((element.extension for _, name, element in self.elements() if element.extension and element.lot(name)), "")

    @cached_property
    def lots(self) -> tuple[Lot, ...]:
        return tuple(lot for _, name, element in self.elements() if (lot := element.lot(name)))

    def lot_of(self, node: str) -> Lot | None:
        """The parking lot of a node: a call transferred to the node is parked in one of its slots."""
        found = self.nodes.get(node)
        return found.lot(node) if isinstance(found, Element) else None

    def targets_of(self, node: Element | User) -> list[str]:
        """The nodes to which a call may go on from a node."""
        uses = node.uses()
        dialled = self.internal_numbers.values() if uses.any_number else ()
        return [target for _, target in uses.targets] + list(dialled)

    @cached_property
    def names(self) -> dict[Extension, str]:
        """The users' names."""
        return {extension: user.name for extension, user in self.users.items()}

    @cached_property
    def _endpoints(self) -> dict[Extension, tuple[str, ...]]:
        return {
            extension: tuple(str(DeviceEndpoint(self.tenant, UserDevice(extension, device))) for device in user.devices)
            for extension, user in self.users.items()
        }

    def endpoint_of(self, device: DeviceName) -> str:
        """The name of the endpoint of a device such as 201-desk."""
        return str(DeviceEndpoint(self.tenant, read_device(device)))

    def endpoints_of(self, extension: Extension) -> tuple[str, ...]:
        """The endpoint names of a user's devices."""
        return self._endpoints[extension]

    @cached_property
    def main_number(self) -> str:
        """The number shown to external parties for the tenant: its first public number, '' without any."""
        return next(iter(self.numbers), "")

    def trunks_for(self, call_class: CallClass | None) -> tuple[Name, ...]:
        """The trunks for calls of this class, the first one first."""
        return trunks_for(call_class, self.routes, self.trunks)

    def number_of(self, extension: Extension) -> str:
        """The number shown to external parties for a user: the own number, or the main one; '' where the tenant has none."""
        user = self.users.get(extension)
        return user.number if user and user.number and user.shows is not Shows.MAIN else self.main_number

    def hides_number(self, extension: Extension) -> bool:
        user = self.users.get(extension)
        return user is not None and user.shows is Shows.NOTHING

    def site_number(self, extension: Extension) -> str:
        """The number by which rescuers locate the user."""
        user = self.users.get(extension)
        return self.sites[user.site].number if user and user.site else self.main_number

    def permissions_of(self, extension: Extension) -> tuple[CallClass, ...]:
        user = self.users.get(extension)
        if user and user.permissions is not None:
            return user.permissions
        return self.platform.extension_types[user.type if user else STANDARD].permissions

    def closing_rules(self, extension: Extension) -> tuple[When, ...]:
        """Rules that close the user's external calls while one of them holds."""
        user = self.users.get(extension)
        return tuple(rule for rule in (self.closed_outside, user.closed_outside if user else None) if rule)

    @cached_property
    def terms(self) -> Terms:
        return terms_of(self.plan, self.platform) if self.plan else Terms(None, None, None)

    @cached_property
    def caps(self) -> Caps:
        """The limits of external calls."""
        return caps(self.terms.lines, self.platform.brake)

    @property
    def asks_new_countries(self) -> bool:
        return self.platform.brake is not None and self.platform.brake.ask_new_countries

    @property
    def main_numbers(self) -> tuple[Did, ...]:
        """The public numbers that lead into the call flow, not directly to a user."""
        return tuple(did for did, number in self.numbers.items() if number.to not in self.users)

    @property
    def emergency_numbers(self) -> tuple[str, ...]:
        return emergency_numbers(self.country)

    @property
    def country_code(self) -> int:
        """The country's calling code: 48."""
        return country_code(self.country)

    def emergency_spellings(self, number: str) -> tuple[str, ...]:
        """Other ways to dial an emergency number: with the country's prefix, or after a code that selects the number shown."""
        written = (number, *with_country(number, self.country))
        codes = ("", *(code for code in (self.codes.hide_number, self.codes.show_main) if code))
        return tuple(f"{code}{each}" for code in codes for each in written)[1:]

    @property
    def emergency_trunks(self) -> tuple[str, ...]:
        """The endpoints of the trunks that emergency calls use."""
        return tuple(self.trunk_endpoint(trunk) for trunk in self.trunks_for(CallClass.EMERGENCY))

    def trunk_endpoint(self, trunk: Name | None, number: str = "") -> str:
        """The endpoint of that trunk, or of the first trunk for calls to the number. Raises ValueError if there is none."""
        name = trunk or next(iter(self.trunks_for(class_of(number, self.country))), "")
        if name not in self.trunks:
            raise ValueError(f"no trunk {name!r} leads outside" if name else "no trunk leads outside")
        match self.trunks[name]:
            case CarrierTrunk(carrier=carrier):
                return str(TrunkEndpoint(PLATFORM, carrier))
            case _:
                return str(TrunkEndpoint(self.tenant, name))

    @property
    def own_trunks(self) -> dict[str, OwnTrunk]:
        """The trunks that no other tenant uses, by their endpoints."""
        return {
            self.trunk_endpoint(name): trunk for name, trunk in self.trunks.items() if not isinstance(trunk, CarrierTrunk)}

    @property
    def shares_carriers(self) -> bool:
        """True if calls to its numbers may come from carriers that other tenants use, too."""
        return any(isinstance(trunk, CarrierTrunk) for trunk in self.trunks.values())

    def forwards_of(self, extension: Extension) -> Mapping[Forwarding, str]:
        user = self.users.get(extension)
        return user.forwards if user else {}

    def ways_of(self, extension: Extension, kind: CallKind) -> Ways:
        """The devices and the mobile that ring for a call of this kind to a user."""
        return self._ways[extension, kind]

    @cached_property
    def _ways(self) -> dict[tuple[Extension, CallKind], Ways]:
        return {
            (extension, kind): ways(
                dict(zip(user.devices, self._endpoints[extension], strict=True)),
                (user.mobile, user.mobile_after_s) if user.mobile else None, user.rings, kind)
            for extension, user in self.users.items() for kind in CallKind}

    def mobile_of(self, extension: Extension) -> str:
        """The number of a user's mobile, '' without one."""
        user = self.users.get(extension)
        return user.mobile or "" if user else ""

    def takes_second_call(self, extension: Extension) -> bool:
        """False for a device on an analogue port."""
        user = self.users.get(extension)
        if user is None:
            return True
        return user.call_waiting and not any(str(UserDevice(extension, device)) in self.analogue for device in user.devices)

    def is_own_number(self, number: str, extension: Extension) -> bool:
        """True if the public number leads directly to the user."""
        return number in self.numbers and self.numbers[number].to == extension

    def destination(self, text: str) -> str:
        """The target of a forward to an extension, an element or a number: a node's name, or an external number with its '+'.
        Raises ValueError with the reason if there is no such target."""
        if text in self.internal_numbers:
            return self.internal_numbers[text]
        if text in self.nodes:
            return text
        if did := find_did(text, self.country, self.numbers):
            return self.numbers[did].to
        number = e164(text, self.country, self.area_code)
        if not re.fullmatch(r"\+[1-9][0-9]{6,14}", number, re.ASCII) or is_emergency(number, self.country) or (
                class_of(number, self.country) is None):
            raise ValueError("is no number that a call can be forwarded to")
        if refusal := self.refusal_of(number):
            raise ValueError(refusal)
        return number

    def refusal_of(self, number: str) -> str:
        """The reason why no forward or transfer may go to an external number, '' if one may. Emergency numbers always may."""
        if is_emergency(number, self.country):
            return ""
        if not may_be_called(number):
            return "may be neither a user nor a target"
        return "is on the blacklist" if self.blacklist.bars_target(number) else ""

    def find_node(self, destination: str) -> Target | None:
        """The node of `nodes` that an element's name, an internal number or one of the tenant's DIDs means."""
        if destination in self.numbers:
            return self.numbers[destination].to
        found = self.internal_numbers.get(destination, destination)
        return found if found in self.nodes else None

    @cached_property
    def _seats(self) -> dict[Name, tuple[Seat, ...]]:
        members = {name: group.members for name, group in self.groups.items()}
        return {name: seats(name, members) for name in members}

    def seats_of(self, group: Name) -> tuple[Seat, ...]:
        """The users and external numbers of a group, including those of its member groups."""
        return self._seats[group]

    @cached_property
    def _number_sets(self) -> dict[Name, NumberSet]:
        return {name: NumberSet(patterns) for name, patterns in self.lists.items()}

    def numbers_in(self, number_list: Name) -> NumberSet:
        """The numbers of one of `lists`."""
        return self._number_sets[number_list]

    def members_of(self, group: Name) -> tuple[Extension, ...]:
        """A group's users, including those of its member groups."""
        return tuple(seat.member for seat in self.seats_of(group) if not seat.is_outside)

    def position_of(self, switch: Name, found: str | None) -> Name:
        """The switch's position, given the position that the live state holds."""
        return self.switches[switch].standing(found)

    @cached_property
    def languages(self) -> tuple[Language, ...]:
        """The tenant's own language, then the others that a call can be set to."""
        chosen = {each.language for each in self.sets.values() if each.language} - {self.language}
        return (self.language, *sorted(chosen))

    def prompt_in(self, prompt: Name, language: str) -> str:
        """The prompt's name, or 'welcome.it' where it has a translation into this language."""
        return f"{prompt}.{language}" if language in self._translated.get(prompt, ()) else prompt

    @cached_property
    def _translated(self) -> dict[Name, frozenset[str]]:
        return {name: frozenset(prompt.translations) for name, prompt in self.all_prompts().items() if prompt.translations}

    def queue_name(self, queue: Name) -> str:
        """The queue's name in Asterisk. A queue there cannot become an ordered one, so that has a name of its own."""
        ordered = "-ordered" if self.queues[queue].strategy is Algorithm.ORDERED else ""
        return f"{self.tenant}-{queue}{ordered}"

    def agents_of(self, queue: Name) -> tuple[Extension, ...]:
        return self.queues[queue].agents

    def line_of(self, queue: Name) -> tuple[Seat, ...]:
        """The agents of a queue, as members."""
        return tuple(Seat(agent, (queue,)) for agent in self.agents_of(queue))

    @cached_property
    def agents(self) -> tuple[Extension, ...]:
        """The members of all queues, each once."""
        return tuple(dict.fromkeys(agent for queue in self.queues.values() for agent in queue.agents))

    @cached_property
    def named_aloud(self) -> frozenset[Name]:
        """The elements whose names are spoken to users: groups and queues, and the targets of forwards in the file."""
        forwards = {to for user in self.users.values() for to in user.forwards.values()}
        return frozenset({*self.groups, *self.queues, *(forwards & self.nodes.keys() - self.users.keys())})

    def all_prompts(self) -> dict[Name, Prompt]:
        """The tenant's prompts and, for names that it lacks, the system's phrases in its language."""
        unused = tuple(prefix for prefix, section in PHRASES_OF.items() if not getattr(self, section))
        phrases = phrase_prompts(tuple(self.languages), unused)
        spoken = self.names if self.directories else {}
        names = {name_of_user(extension): Prompt(text=name) for extension, name in spoken.items()}
        names |= {name_of_element(element): Prompt(text=element.replace("_", " ")) for element in self.named_aloud}
        return {**phrases, **names, **self.prompts}
