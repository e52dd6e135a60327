"""A raw SIP peer over UDP: it sends exactly the bytes that a test writes, and answers nothing that the test does not answer.

It plays carriers and telephones whose behaviour no honest user agent shows. `Dialog` holds the ids of one call.
"""

import asyncio
import hashlib
import itertools
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sipp import Account, Address

LIMIT_S = 60.0
FIRST_AGAIN_S = 0.5
COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type",
           "s": "subject", "k": "supported", "o": "event", "r": "refer-to", "b": "referred-by", "u": "allow-events"}
_ids = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Message:
    """A SIP message as it came. `headers` in their order, names in lower case and long form."""

    start: str
    headers: tuple[tuple[str, str], ...]
    body: str
    source: Address

    @property
    def method(self) -> str:
        """Of a request; '' for a response."""
        return "" if self.start.startswith("SIP/2.0 ") else self.start.split(" ")[0]

    @property
    def status(self) -> int:
        """Of a response; 0 for a request."""
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def uri(self) -> str:
        return self.start.split(" ")[1]

    def all(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each == name.lower()]

    def get(self, name: str) -> str:
        """The header's first value; '' if it is missing."""
        return next(iter(self.all(name)), "")

    @property
    def to_tag(self) -> str:
        found = re.search(r";tag=([^;>\s]+)", self.get("to"))
        return found[1] if found else ""

    @property
    def contact(self) -> str:
        """The contact's URI."""
        found = re.search(r"<([^>]*)>", self.get("contact"))
        return found[1] if found else self.get("contact").split(";")[0]

    @property
    def media(self) -> Address:
        """The address of the first media line of the SDP body."""
        host, port = re.search(r"^c=IN IP4 (\S+)", self.body, re.M), re.search(r"^m=\w+ (\d+)", self.body, re.M)
        assert host, self.body
        assert port, self.body
        return Address(host[1], int(port[1]))


def parsed(data: bytes, source: Address) -> Message:
    head, _, body = data.decode("latin-1").partition("\r\n\r\n")
    start, *lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
    named = (line.partition(":") for line in lines)
    headers = tuple((COMPACT.get(name.strip().lower(), name.strip().lower()), value.strip()) for name, _, value in named)
    return Message(start, headers, body, source)


@dataclass
class Dialog:
    """The ids of a call that this peer begins. `remote` is the far URI; `to_tag` and `target` come with the answer."""

    remote: str
    sender: str
    call_id: str = field(default_factory=lambda: f"raw-{next(_ids)}-{id(_ids):x}")
    from_tag: str = field(default_factory=lambda: f"tag{next(_ids)}")
    to_tag: str = ""
    target: str = ""
    sequence: int = 1


class RawSip(asyncio.DatagramProtocol):
    """Made by `raw_sip`. `server` is Asterisk's address. A request for which the test has no `answers` entry waits in the inbox."""

    def __init__(self, at: Address, server: Address) -> None:
        self.at, self.server = at, server
        self.answers: dict[str, Callable[[Message], None]] = {"OPTIONS": lambda request: self.reply(request, 200, "OK")}
        self.seen: list[Message] = []
        self._arrived = asyncio.Condition()
        self._taken: set[int] = set()
        self._transport: asyncio.DatagramTransport | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:        # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = parsed(data, Address(*addr))
        if message.method and (answer := self.answers.get(message.method)):
            answer(message)
        self.seen.append(message)
        task = asyncio.ensure_future(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self) -> None:
        async with self._arrived:
            self._arrived.notify_all()

    def send(self, data: bytes | str, to: Address | None = None) -> None:
        assert self._transport
        target = to or self.server
        self._transport.sendto(data.encode("latin-1") if isinstance(data, str) else data, (target.host, target.port))

    async def wait(self, is_wanted: Callable[[Message], bool], what: str, limit_s: float = LIMIT_S) -> Message:
        """The first message of this kind that no earlier `wait` has returned."""
        def found() -> Message | None:
            for number, message in enumerate(self.seen):
                if number not in self._taken and is_wanted(message):
                    self._taken.add(number)
                    return message
            return None

        async with self._arrived:
            try:
                async with asyncio.timeout(limit_s):
                    while not (message := found()):
                        await self._arrived.wait()
                    return message
            except TimeoutError:
                raise AssertionError(f"{what}: not within {limit_s} s; came {[each.start for each in self.seen]}") from None

    async def request(self, method: str, limit_s: float = LIMIT_S) -> Message:
        """The next request of this method."""
        return await self.wait(lambda message: message.method == method, f"a {method}", limit_s)

    async def final(self, dialog: Dialog, method: str = "INVITE", limit_s: float = LIMIT_S) -> Message:
        """The final response to the dialog's last request of this method. It sets the dialog's `to_tag` and `target`."""
        def is_wanted(message: Message) -> bool:
            return (message.status >= 200 and message.get("call-id") == dialog.call_id
                    and message.get("cseq") == f"{dialog.sequence} {method}")

        message = await self.wait(is_wanted, f"a final response to {method}", limit_s)
        dialog.to_tag = message.to_tag
        dialog.target = message.contact or dialog.target
        return message

    def reply(self, request: Message, status: int, reason: str, *, headers: Iterable[str] = (), body: str = "", tag: str = "raw") -> None:
        """A response with the request's Via, From, To, Call-ID and CSeq. `body` is SDP."""
        to = request.get("to")
        if ";tag=" not in to and status > 100:
            to += f";tag={tag}"
        via = (f"Via: {value}" for value in request.all("via"))
        routes = (f"Record-Route: {value}" for value in request.all("record-route"))
        own = () if any(each.lower().startswith("contact:") for each in headers) else (f"Contact: <sip:raw@{self.at.host}:{self.at.port}>",)
        self.send(_written(
            f"SIP/2.0 {status} {reason}",
            (*via, *routes, f"From: {request.get('from')}", f"To: {to}", f"Call-ID: {request.get('call-id')}",
             f"CSeq: {request.get('cseq')}", *own, *headers), body), request.source)

    def begin(self, dialog: Dialog, method: str, *, uri: str = "", headers: Iterable[str] = (), body: str = "",
              content_type: str = "application/sdp") -> None:
        """One request of the dialog, sent once. Its CSeq is `dialog.sequence`."""
        tag = f";tag={dialog.to_tag}" if dialog.to_tag else ""
        given = [each.split(":")[0].lower() for each in headers]
        own = [] if "contact" in given else [f"Contact: <sip:raw@{self.at.host}:{self.at.port}>"]
        sender = dialog.sender if "<" in dialog.sender else f"<{dialog.sender}>"
        self.send(_written(
            f"{method} {uri or dialog.target or dialog.remote} SIP/2.0",
            (f"Via: SIP/2.0/UDP {self.at.host}:{self.at.port};rport;branch=z9hG4bK{next(_ids)}", "Max-Forwards: 70",
             f"From: {sender};tag={dialog.from_tag}", f"To: <{dialog.remote}>{tag}", f"Call-ID: {dialog.call_id}",
             f"CSeq: {dialog.sequence} {method}", *own, *headers), body, content_type))

    async def ask(self, dialog: Dialog, method: str, *, uri: str = "", headers: Iterable[str] = (), body: str = "",
                  content_type: str = "application/sdp", account: Account | None = None, limit_s: float = LIMIT_S) -> Message:
        """A request of the dialog and its final response: sent again while nothing is answered (Asterisk may be busy), and with the
        answer to a digest challenge where there is an `account`. An INVITE gets its ACK."""
        listed, again = list(headers), True
        while True:
            asking = asyncio.ensure_future(self.final(dialog, method, limit_s))
            self.begin(dialog, method, uri=uri, headers=listed, body=body, content_type=content_type)
            pause_s = FIRST_AGAIN_S
            while method != "INVITE" and not (await asyncio.wait((asking,), timeout=pause_s))[0]:
                self.begin(dialog, method, uri=uri, headers=listed, body=body, content_type=content_type)
                pause_s = min(4.0, 2 * pause_s)
            answer = await asking
            if method == "INVITE":
                self.acknowledge(dialog, answer)
            if answer.status not in (401, 407) or account is None or not again:
                dialog.sequence += 1
                return answer
            dialog.sequence += 1
            dialog.to_tag, again = ("" if method in ("INVITE", "REGISTER") else dialog.to_tag), False
            listed = [*headers, authorization(answer, account, method, uri or dialog.target or dialog.remote)]

    def acknowledge(self, dialog: Dialog, answer: Message) -> None:
        """The ACK of a final response to an INVITE."""
        target = dialog.target if answer.status < 300 and dialog.target else dialog.remote
        via = answer.get("via") if answer.status >= 300 else f"SIP/2.0/UDP {self.at.host}:{self.at.port};rport;branch=z9hG4bK{next(_ids)}"
        self.send(_written(
            f"ACK {target} SIP/2.0",
            (f"Via: {via}", "Max-Forwards: 70", f"From: {answer.get('from')}", f"To: {answer.get('to')}",
             f"Call-ID: {dialog.call_id}", f"CSeq: {answer.get('cseq').split(' ')[0]} ACK"), ""))

    async def register(self, account: Account, *, contact: str = "", expires_s: int = 300) -> Message:
        """Registers with the account's password; the final response."""
        host = self.server.host
        own = Dialog(f"sip:{account.user}@{host}", f"sip:{account.user}@{host}")
        headers = (f"Contact: {contact or f'<sip:{account.user}@{self.at.host}:{self.at.port}>'}", f"Expires: {expires_s}")
        return await self.ask(own, "REGISTER", uri=f"sip:{host}", headers=headers, account=account)

    def sdp(self, media: Address, *, codecs: str = "8 101", lines: Iterable[str] = ()) -> str:
        """An SDP body with one audio stream. `lines` follow the media line, in place of the event's mapping."""
        extra = tuple(lines) or (("a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15") if "101" in codecs.split() else ())
        return "\r\n".join((
            "v=0", f"o=- {next(_ids)} 1 IN IP4 {media.host}", "s=-", f"c=IN IP4 {media.host}", "t=0 0",
            f"m=audio {media.port} RTP/AVP {codecs}", *extra, ""))


def authorization(challenge: Message, account: Account, method: str, uri: str) -> str:
    """The header that answers a digest challenge (RFC 2617, MD5)."""
    proxy = challenge.status == 407
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge.get("proxy-authenticate" if proxy else "www-authenticate")))
    secret = _md5(f"{account.user}:{given['realm']}:{account.password}")
    request = _md5(f"{method}:{uri}")
    realm, nonce = given["realm"], given["nonce"]
    digest = f'Digest username="{account.user}",realm="{realm}",nonce="{nonce}",uri="{uri}",algorithm=MD5'
    counted = "00000001:raw:auth:" if "qop" in given else ""
    digest += f',response="{_md5(f"{secret}:{nonce}:{counted}{request}")}"'
    if counted:
        digest += ',qop=auth,nc=00000001,cnonce="raw"'
    if "opaque" in given:
        opaque = given["opaque"]
        digest += f',opaque="{opaque}"'
    return f"{'Proxy-' if proxy else ''}Authorization: {digest}"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _written(start: str, headers: Iterable[str], body: str, content_type: str = "application/sdp") -> str:
    typed = (f"Content-Type: {content_type}",) if body else ()
    return "\r\n".join((start, *headers, *typed, f"Content-Length: {len(body.encode('latin-1'))}", "", "")) + body


@asynccontextmanager
async def raw_sip(at: Address, server: Address) -> AsyncIterator[RawSip]:
    """A peer at this address until the block ends."""
    transport, peer = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: RawSip(at, server), local_addr=(at.host, at.port))
    try:
        yield peer
    finally:
        transport.close()
