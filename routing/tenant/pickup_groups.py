"""What people who sit together share: who picks up whose calls, and what those hear whom they hold. Pure."""

from pydantic import Field

from routing.numbering.value_types import Extension, Extensions, Name
from yaml_models.strict_model import Part


class Desks(Part):
    """These sections of a tenant's file."""

    pickup_groups: dict[Name, Extensions] = Field(default_factory=dict, max_length=60)     # each picks up the others' calls
    hold_music: Name | None = None                                                         # one of the tenant's musics

    def pickup_groups_of(self, extension: Extension) -> tuple[Name, ...]:
        return tuple(name for name, members in self.pickup_groups.items() if extension in members)

    def may_pick_up(self, extension: Extension, other: Extension) -> bool:
        """Whether both are in one of the groups."""
        return any(extension in members and other in members for members in self.pickup_groups.values())
