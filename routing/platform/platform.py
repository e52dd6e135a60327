"""The operator's offer and limits: extension types, plans, fraud brake, carriers. Pure.

One file beside the tenants' files, platform.yaml; the defaults are those below.
"""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from routing.numbering.dialled import CallClass, Permissions
from routing.numbering.value_types import Host, MailAddress, Name
from routing.platform.trunks import Carrier, CarrierTrunk
from yaml_models.strict_model import Part

STANDARD = "standard"        # the extension type of a user who has no other
Count = Annotated[int, Field(ge=1, le=100_000)]


class ExtensionType(Part):
    """Permissions of a user of this type. Emergency numbers need no permission."""

    permissions: Permissions


class Plan(Part):
    """Limits of a tenant's plan; null: no limit, or, in an addition, nothing added. `lines` are simultaneous external calls;
    a tenant with `fewest_lines` chooses its number of lines from there up to `lines`. An `addition` is no plan by
    itself: it adds to one."""

    main_numbers: Count | None = None
    users: Count | None = None
    lines: Count | None = None
    fewest_lines: Count | None = None
    addition: bool = False


class Brake(Part):
    """Limits of external calls, beyond which a person has to check; null: no limit. Calls are simultaneous ones, minutes those
    of one day; too many minutes stop further calls until they are released. With `ask_new_countries` the first user of the
    tenant to call a foreign country confirms it with a key."""

    user_calls: Count | None = 4
    user_minutes: Count | None = 600
    tenant_calls: Count | None = 60
    tenant_minutes: Count | None = 6000
    ask_new_countries: bool = True


class Notices(Part):
    """Recipients of mail about stopped calls. The server takes mail from this machine: a relay of the operator's."""

    server: Host = "localhost"
    port: int = Field(default=25, ge=1, le=65535)
    sender: MailAddress
    to: tuple[MailAddress, ...] = Field(min_length=1, max_length=20)


EVERYDAY = (CallClass.INTERNAL, CallClass.NATIONAL, CallClass.MOBILE, CallClass.SPECIAL)
EXTENSION_TYPES = {
    STANDARD: ExtensionType(permissions=EVERYDAY),
    "premium": ExtensionType(permissions=(*EVERYDAY, CallClass.INTERNATIONAL)),
    "operator": ExtensionType(permissions=(*EVERYDAY, CallClass.INTERNATIONAL, CallClass.PREMIUM)),
}
PLANS = {
    **{f"wco_{users}": Plan(main_numbers=1, users=users) for users in (3, 5, 10, 20)},
    "wco_pi": Plan(main_numbers=1),
    "wco_ngd": Plan(main_numbers=1, addition=True),
    "office_one": Plan(lines=1),
    "office_plus": Plan(lines=2, users=8),
    "office_maxi": Plan(lines=8, fewest_lines=3, users=32),
}


class Platform(Part):
    """An extension type or a plan in the file replaces the one of that name here; the others stay."""

    extension_types: dict[Name, ExtensionType] = Field(default_factory=dict)
    plans: dict[Name, Plan] = Field(default_factory=dict)
    brake: Brake | None = Brake()
    notices: Notices | None = None
    carriers: dict[Name, Carrier] = Field(default_factory=dict, max_length=100)      # shared by tenants

    @model_validator(mode="after")
    def with_defaults(self) -> Self:
        object.__setattr__(self, "extension_types", {**EXTENSION_TYPES, **self.extension_types})
        object.__setattr__(self, "plans", {**PLANS, **self.plans})
        return self

    def trunks(self) -> dict[Name, CarrierTrunk]:
        """The trunks of a tenant whose file has no trunks: all carriers, in their order."""
        return {name: CarrierTrunk(kind="carrier", carrier=name) for name in self.carriers}

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """pydantic would copy the default for every tenant; it is frozen."""
        return self
