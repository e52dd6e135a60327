"""A mail server as a real one on loopback, which keeps what it is sent, or refuses it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass(slots=True)
class MailServer:
    port: int = 0
    refuses: bool = False
    recipients: list[list[str]] = field(default_factory=list)      # of each mail, from its envelope
    mails: list[EmailMessage] = field(default_factory=list)


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    kept = MailServer()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        to: list[str] = []
        while line := (await reader.readline()).decode().strip():
            match line.split(":")[0].upper():
                case "RCPT TO":
                    to.append(line.partition("<")[2].rstrip(">"))
                    writer.write(b"550 no\r\n" if kept.refuses else b"250 ok\r\n")
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    text = (await reader.readuntil(b"\r\n.\r\n"))[:-3]
                    kept.mails.append(message_from_bytes(text, policy=policy.default))
                    kept.recipients.append(to)
                    writer.write(b"250 kept\r\n")
                case "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                case _:
                    writer.write(b"250 ok\r\n")
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        kept.port = server.sockets[0].getsockname()[1]
        yield kept
