"""Pickup groups and music on hold. Pure."""

from pydantic import Field

from routing.numbering.value_types import Extension, Extensions, Name
from yaml_models.strict_model import Part


class Desks(Part):
    """The `pickup_groups` and hold-music sections of a tenant's file."""

    pickup_groups: dict[Name, Extensions] = Field(default_factory=dict, max_length=60)     # members pick up each other's calls
    hold_music: Name | None = None                                                         # one of the tenant's musics

    def pickup_groups_of(self, extension: Extension) -> tuple[Name, ...]:
        return tuple(name for name, members in self.pickup_groups.items() if extension in members)

    def may_pick_up(self, extension: Extension, other: Extension) -> bool:
        """True if both are in the same group."""
        return any(extension in members and other in members for members in self.pickup_groups.values())
