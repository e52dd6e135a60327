"""Conditions: ordered rules, each with its tests and the call's next element; the first that holds wins."""

from functools import cached_property
from zoneinfo import ZoneInfo

from pydantic import Field

from routing.call.reasons import Why
from routing.call.state import Entered, Event
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses
from routing.nodes.when import Condition, Inquiry, When
from routing.numbering.value_types import Label, Target
from yaml_models.strict_model import Part

MAX_RULES = 2000


class Rule(Part):

    title: Label | None = None           # shown in the reasons, such as 'closed'
    when: When
    to: Target


class Conditions(Element):
    rules: tuple[Rule, ...] = Field(min_length=1, max_length=MAX_RULES)
    otherwise: Target

    @cached_property
    def _compiled(self) -> tuple[tuple[Condition, Rule], ...]:
        return tuple((rule.when.first_question, rule) for rule in self.rules)

    def uses(self) -> Uses:
        targets = tuple((f"rules.{place}.to", rule.to) for place, rule in enumerate(self.rules))
        asked = [(f"rules.{place}.when.", rule.when) for place, rule in enumerate(self.rules)]
        return Uses(
            targets=(*targets, ("otherwise", self.otherwise)),
            settings=tuple(
                (path + field, section, key) for path, when in asked for field, section, key in when.settings()),
            positions=tuple(
                (f"{path}switches.{switch}", switch, position)
                for path, when in asked for switch, position in when.switches.items()),
        )

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        if not isinstance(event, Entered):
            raise UnexpectedEvent(here, event)
        local = here.facts.moment.astimezone(ZoneInfo(here.tenant.timezone))
        asked = Inquiry(here, local)
        for place, (question, rule) in enumerate(self._compiled):
            if question(asked) is not None and (why := rule.when.why(asked, place)):
                holds = Why.RULE_HOLDS(rule.title or Why.RULE(place + 1), why)
                return Go(rule.to, holds + Why.ON_TO(rule.to))
        return Go(self.otherwise, Why.NO_RULE(local.isoformat(timespec="minutes")) + Why.ON_TO(self.otherwise))
