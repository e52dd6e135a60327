"""Call server: answers that a tenant's own web service may give in a call, and its failures. Pure; docs/call-server.md."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from routing.call.reasons import Reasons, Why
from routing.numbering.value_types import Destination, Name
from routing.speech.phrases import Language
from yaml_models.patterns import SHORT_LINE, matching
from yaml_models.strict_model import Part

MAX_ANSWER_BYTES = 16_384


def printable(text: str) -> str:
    """The text. Raises ValueError if a page or a log could not show it unchanged."""
    if not text.isprintable():
        raise ValueError("expected printable characters only")
    return text


# Like SpokenText, but shorter: it is synthesized while the caller waits.
ShortSpokenText = Annotated[str, matching(
    r"^[^\x00-\x09\x0b-\x1f\x7f<>{}$\\]{1,500}$", "text of at most 500 characters without < > { } $ \\")]
Shown = Annotated[str, matching(r"^[^\x00-\x1f\x7f]{1,80}$", SHORT_LINE), AfterValidator(printable)]


class CallServerReply(Part):
    """The answer of a call server. Every field is optional; without `go_to` the call goes on to the element's `next`."""

    model_config = ConfigDict(title="Answer of a call server")

    text: ShortSpokenText | None = Field(default=None, description="Read to the caller, before the call goes on.")
    language: Language | None = Field(default=None, description="Of the text. Default: the tenant's.")
    go_to: Destination | None = Field(default=None, description=(
        "Where the call goes: the name of one of the tenant's elements, an internal number, or a number with its +: one of the "
        "tenant's own, or one outside, which is rung through a trunk."))
    show: dict[Name, Shown] = Field(default_factory=dict, max_length=10, description=(
        "Kept with the call's record for those who answer it, such as {\"customer\": \"Kowalska, contract 17\"}."))


class Failure(StrEnum):
    """The reason why there is no usable answer."""

    REFUSED_ADDRESS = "refused_address"    # its network is not allowed by the operator
    UNKNOWN_HOST = "unknown_host"
    NO_CONNECTION = "no_connection"        # connection refused or timed out
    TLS = "tls"                            # its certificate is not trusted, or the TLS handshake failed
    NO_ANSWER = "no_answer"                # connected, but no answer in time
    CLOSED = "closed"                      # closed before the whole answer, or not HTTP
    STATUS = "status"                      # not 200; redirects are not followed
    TOO_LARGE = "too_large"
    WRONG_ANSWER = "wrong_answer"          # does not match the schema
    SUSPENDED = "suspended"                # not asked for a while after repeated failures


@dataclass(frozen=True, slots=True)
class Failed:
    """`detail` says what was found; '' where the failure alone says it all."""

    failure: Failure
    detail: str = ""

    @property
    def reasons(self) -> Reasons:
        return Why.SERVER_FAILED_WITH(self.failure, self.detail) if self.detail else Why.SERVER_FAILED(self.failure)


def read_reply(text: bytes) -> CallServerReply | Failed:
    """The reply in these bytes, or what is wrong with it."""
    try:
        return CallServerReply.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"])
        words = f"{where}: {first['msg']}" if where else first["msg"]
        return Failed(Failure.WRONG_ANSWER, words[:120])
