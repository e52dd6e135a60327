"""The instance's own certificate, used until the operator provides a publicly trusted one."""

import os
import subprocess
from ipaddress import ip_address
from pathlib import Path

DAYS = 3650


def make_certificate(certificate: Path, key: Path, host: str) -> None:
    """Makes both files where they are missing, self-signed, for a host's name or address. Raises OSError."""
    if certificate.exists() and key.exists():
        return
    certificate.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    try:
        kind = "IP" if ip_address(host) else ""
    except ValueError:
        kind = "DNS"
    made = key.with_suffix(".new")
    with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w"):
        pass                    # openssl writes into it and leaves its mode
    done = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(DAYS),
         "-subj", "/CN=Centralka", "-addext", f"subjectAltName={kind}:{host}", "-keyout", str(made), "-out", str(certificate)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise OSError(f"openssl made no certificate for {host}: {done.stderr.strip()[-500:]}")
    os.replace(made, key)


def copy_secret(source: Path, target: Path) -> None:
    """Copies a file, readable by its owner only, atomically. Raises OSError."""
    made = target.with_suffix(".new")
    with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as copy:
        copy.write(source.read_bytes())
    os.replace(made, target)


def write_secret(file: Path, secret: str) -> None:
    """Writes a text for its owner and its group only, in place: a container has the file itself mounted. Raises OSError."""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(secret)
