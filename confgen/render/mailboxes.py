"""Mailboxes as database rows and as text for people. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from confgen.render.encoder import encode
from confgen.secrets import Secrets, pin_name
from routing.numbering.value_types import Extension, Slug
from routing.tenant.tenant import Tenant


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """A mailbox with its initial PIN; its owner may change the PIN."""

    tenant: Slug
    extension: Extension
    pin: str = field(repr=False)
    owner: str


def mailboxes_of(tenant: Tenant, secrets: Secrets) -> list[MailboxRow]:
    """Raises KeyError for a PIN that is missing."""
    return [MailboxRow(tenant.tenant, extension, secrets.pins[pin_name(tenant, extension)], user.name)
            for extension, user in tenant.users.items() if user.voicemail]


def mailboxes_text(rows: Iterable[MailboxRow]) -> str:
    """The lines of voicemail.conf. Raises UnsafeValue."""
    return "".join(f"{encode(row.extension)} => {encode(row.pin)},{encode(row.owner)}\n" for row in rows)


def dump_mailboxes(rows: Iterable[MailboxRow]) -> str:
    return json.dumps([(row.tenant, row.extension, row.pin, row.owner) for row in rows], ensure_ascii=False)


def mailboxes_in(files: Mapping[str, str], paths: Iterable[str]) -> list[MailboxRow]:
    """Those of the rendered `voicemail/<tenant>.json` among these paths."""
    texts = (files[path] for path in paths if path in files and path.endswith(".json"))
    return [MailboxRow(*values) for text in texts for values in json.loads(text)]
