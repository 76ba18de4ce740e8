"""An SMTP server for tests: smtp_sink.py FOLDER USER PASSWORD

FOLDER/tls/         server.pem and server.key, made before
FOLDER/ports        STARTTLS_PORT=…, TLS_PORT=…, PLAIN_PORT=…: appears when all three listen
FOLDER/mail/        NNNN.eml, the message as received, then NNNN.json: envelope, TLS, login, parts
FOLDER/fault        a fault for all sessions from now on; empty or absent: none

Faults: `rcpt 550`, `data 451` (any code), `auth 535`, `hang 30` (seconds), `drop`.
A recipient can carry one too, for its mail alone, so that tests need not take turns:
anything+data-451@example.org, anything+hang-30@…, anything+drop@… (not `auth`).

The first port wants STARTTLS and a login, the second TLS from the start and a login, the third neither.
"""

import asyncio
import email
import email.policy
import hashlib
import json
import os
import pathlib
import signal
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

FOLDER = pathlib.Path(sys.argv[1])
USER, PASSWORD = (word.encode() for word in sys.argv[2:4])


def fault(recipients=()):
    """The fault to obey now, as words."""
    for recipient in recipients:
        words = recipient.partition("@")[0].rpartition("+")[2].split("-")
        if words[0] in ("rcpt", "data", "hang", "drop"):
            return words
    try:
        return (FOLDER / "fault").read_text().split()
    except FileNotFoundError:
        return []


class Sink:
    """Refuses, hangs up, or keeps the mail."""

    def __init__(self):
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        match fault([address]):
            case ["rcpt", code]:
                return f"{code} refused by the test"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        match fault(envelope.rcpt_tos):
            case ["data", code]:
                return f"{code} refused by the test"
            case ["hang", seconds]:
                await asyncio.sleep(float(seconds))
            case ["drop"]:
                server.transport.abort()
                return "250 nobody hears this"
        return f"250 2.0.0 stored as {self.keep(server, session, envelope)}"

    def keep(self, server, session, envelope):
        self.count += 1
        path = FOLDER / "mail" / f"{self.count:04d}"
        path.with_suffix(".eml").write_bytes(envelope.original_content)
        # Whoever sees the .json finds it whole.
        part = path.with_suffix(".part")
        part.write_text(json.dumps(describe(server, session, envelope), ensure_ascii=False, indent=1))
        part.rename(path.with_suffix(".json"))
        return path.name


def describe(server, session, envelope):
    mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
    return {
        "mail_from": envelope.mail_from,
        "rcpt_tos": envelope.rcpt_tos,
        "helo": session.host_name,
        "tls": server.transport.get_extra_info("ssl_object") is not None,
        "auth": session.auth_data.login.decode() if session.authenticated else None,
        "subject": mail["subject"],
        "sender": mail["from"],
        "to": mail["to"],
        "date": mail["date"],
        "message_id": mail["message-id"],
        "parts": [describe_part(part) for part in mail.walk() if not part.is_multipart()],
        "defects": [str(defect) for defect in mail.defects],
    }


def describe_part(part):
    content = part.get_payload(decode=True) or b""
    is_text = part.get_content_maintype() == "text"
    return {
        "type": part.get_content_type(),
        "disposition": part.get_content_disposition(),
        "filename": part.get_filename(),
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "text": content.decode(part.get_content_charset() or "utf-8", "replace") if is_text else None,
    }


def log_in(server, session, envelope, mechanism, data):
    known = data.login == USER and data.password == PASSWORD
    return AuthResult(success=known and fault()[:1] != ["auth"], handled=False, auth_data=data)


async def main():
    os.makedirs(FOLDER / "mail", exist_ok=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(FOLDER / "tls/server.pem", FOLDER / "tls/server.key")
    sink = Sink()

    async def listen(name, context, **options):
        def session():
            return SMTP(sink, hostname="localhost", authenticator=log_in, data_size_limit=20 << 20, enable_SMTPUTF8=True, **options)

        server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0, ssl=context)
        return f"{name}_PORT={server.sockets[0].getsockname()[1]}\n"

    ports = [
        await listen("STARTTLS", None, tls_context=tls, require_starttls=True, auth_required=True),
        await listen("TLS", tls, auth_required=True, auth_require_tls=False),  # encrypted already
        await listen("PLAIN", None, auth_require_tls=False),
    ]
    part = FOLDER / "ports.part"
    part.write_text("".join(ports))
    part.rename(FOLDER / "ports")

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


asyncio.run(main())
