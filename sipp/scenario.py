"""Actions of a phone in a test call, and the SIPp scenario that performs them."""

import re
from dataclasses import asdict, dataclass, field
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from sipp.rtp import Media, duration_ms

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+:@%")
_USER = "-_.!~*'()&=+$,;?/"  # RFC 3261, section 25.1: what a user part may hold unescaped


@dataclass(frozen=True, slots=True)
class Account:
    """A SIP account. Without a password it ignores challenges. `domain` is the server's address if not given. On loopback
    nothing is lost, so what will be challenged is sent again after 4 s, not 0.5: a server that stalls would challenge each."""

    user: str
    password: str | None = field(default=None, repr=False)
    domain: str | None = None

    def __post_init__(self) -> None:
        for value in filter(None, (self.user, self.password)):
            if not re.fullmatch(r"[\w.+~-]{1,100}", value, re.ASCII):
                raise ValueError("SIPp takes only letters, digits and _.+~- in the user and password of a digest")


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller in the From header: any text.

    A newline is sent as a folded header line. PJSIP can't parse that in a name and drops the INVITE unanswered.
    """

    number: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class SendHangUp:
    """Says BYE that long after the last of its media."""

    after_ms: int = 0


@dataclass(frozen=True, slots=True)
class AwaitHangUp:
    """Expects the other side's BYE."""

    within_ms: int = 20_000


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancels that long after the first ringing."""

    after_ms: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """Expects this final answer instead of a conversation."""

    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Calls a number. With an account it expects a challenge and answers it.

    `info_keys` are pressed as soon as the call is answered, each as a SIP INFO: for load, where media costs too much.
    """

    number: str
    caller: Caller
    account: Account | None = None
    info_keys: str = ""
    media: Media = ()
    ending: SendHangUp | AwaitHangUp | Cancel | Refused = SendHangUp()
    name: str = "caller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Calls the numbers, one a call, whatever comes of each: gives up so long after the first sign of ringing or of a prompt,
    and hangs up so long after an answer."""

    numbers: tuple[str, ...]
    caller: Caller
    account: Account
    after_ms: int = 300
    name: str = "attempts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Rings, answers, talks. A call cancelled while it rings is a failure."""

    ring_ms: int = 0
    media: Media = ()
    echo: bool = False
    ending: SendHangUp | AwaitHangUp = AwaitHangUp()


@dataclass(frozen=True, slots=True)
class Refuse:
    code: int = 486
    reason: str = "Busy Here"


@dataclass(frozen=True, slots=True)
class Ring:
    """Never answers: expects the CANCEL."""

    within_ms: int = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Callee:
    """Waits for calls and treats each alike. Answers OPTIONS too, which SIPp counts as calls of their own."""

    then: Answer | Refuse | Ring
    user: str = "callee"
    name: str = "callee"


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Registers the address it runs at; with expires_s=0 removes it. `expect` is the final answer."""

    account: Account
    expires_s: int = 3600
    expect: int = 200
    name: str = "register"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Sends OPTIONS to a server."""

    expect: int = 200
    name: str = "options"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """Subscribes to the state of `target` and answers so many NOTIFYs. `expect` is the final answer to the SUBSCRIBE."""

    account: Account
    target: str
    event: str = "dialog"
    accept: str = "application/dialog-info+xml"
    expect: int = 200
    notifies: int = 1
    within_ms: int = 20_000
    name: str = "subscribe"


Scenario = Call | Attempts | Callee | Register | Options | Subscribe


def media_of(scenario: Scenario) -> Media:
    match scenario:
        case Call(media=media) | Callee(then=Answer(media=media)):
            return media
        case _:
            return ()


def echoes(scenario: Scenario) -> bool:
    return isinstance(scenario, Callee) and isinstance(scenario.then, Answer) and scenario.then.echo


def numbers_of(scenario: Scenario) -> str:
    """The file of what is different in each call, '' where nothing is."""
    return "\n".join(["SEQUENTIAL", *map(user_part, scenario.numbers), ""]) if isinstance(scenario, Attempts) else ""


def is_server(scenario: Scenario) -> bool:
    return isinstance(scenario, Callee)


def literal(value: object) -> str:
    r"""A value as SIPp sends it unchanged: \xHH for whatever SIPp or XML could read as theirs."""
    encoded = str(value).encode()
    if 0 in encoded:
        raise ValueError("a NUL ends SIPp's text; found one in a value")
    return "".join(chr(byte) if byte in _PLAIN else f"\\x{byte:02X}" for byte in encoded)


def display_name(name: str) -> str:
    """RFC 3261 quoted-string; line breaks become folding, the only way a header can carry them."""
    if not name:
        return ""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "\r\n ".join(quoted.splitlines()) + '"'


def user_part(user: str) -> str:
    return quote(user, safe=_USER)


_ENVIRONMENT = Environment(
    loader=PackageLoader("sipp", "scenarios"),
    undefined=StrictUndefined,
    finalize=literal,
    autoescape=False,  # noqa: S701 - literal() leaves nothing that XML would read
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {"display_name": display_name, "user_part": user_part}


def render(scenario: Scenario, *, media_port: str = "media_port") -> str:
    """The scenario's XML. `media_port` is SIPp's keyword for the port that the SDP names."""
    match scenario:
        case Call(ending=ending) | Callee(then=Answer(ending=ending)):
            end = {"kind": type(ending).__name__, **asdict(ending)}
        case _:
            end = {}
    talk_ms = duration_ms(media_of(scenario))
    return _ENVIRONMENT.get_template(f"{type(scenario).__name__.lower()}.xml.j2").render(
        it=scenario,
        kind=type(scenario.then).__name__ if isinstance(scenario, Callee) else "",
        ending=end,
        media_port=media_port,
        talk_ms=talk_ms,
        plays=talk_ms > 0,
    )
