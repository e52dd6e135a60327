"""The instance's part of Asterisk's configuration: files that no tenant changes, with this machine's addresses."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from confgen.publish.revision import current
from confgen.publish.sip_database import make_database
from confgen.render.encoder import fill
from confgen.render.hold_music import hold_music
from confgen.secrets import log_token

STATIC = Path(__file__).resolve().parents[2] / "asterisk-conf"
RENDERED = (
    "asterisk.conf", "globals.conf", "logger.conf", "manager.conf", "res_config_sqlite3.conf", "rtp.conf", "transport.conf")
FOLDERS = (
    "asterisk", "published", "published/folders", "published/revisions", "spool", "banned", "log", "log/cel-custom", "run",
    "control", "db", "sounds", "said", "heard", "records", "redis", "tls", "authorities", "data",
    "data/sounds", "data/moh")
HOLD_MUSIC = "data/moh/hold.wav"                     # asterisk-conf/musiconhold.conf
PACKAGED = Path("/usr/share/asterisk")               # as Asterisk sees it
LINKED = ("documentation", "sounds/en")              # what Asterisk needs of it in its data directory


def write_instance(home: Path, values: Mapping[str, object]) -> None:
    """Makes the instance's folders and its `asterisk/` files. `values`: home (as Asterisk sees it), sip_address, sip_port,
    sip_tcp, sip_tls_port, outside_address, inside_networks,
    rtp_start, rtp_end, agi_address, agi_port, ami_address, ami_port, ami_secret. May be run again at any time."""
    for folder in FOLDERS:
        (home / folder).mkdir(mode=0o750, parents=True, exist_ok=True)
    for name in LINKED:
        link = home / "data" / name
        if not link.is_symlink():
            link.symlink_to(PACKAGED / name)
    if not (home / HOLD_MUSIC).exists():
        (home / HOLD_MUSIC).write_bytes(hold_music())
    target = home / "asterisk"
    for source in STATIC.glob("*.conf"):
        shutil.copyfile(source, target / source.name)
    rendered = {**values, "log_token": log_token(str(values["ami_secret"]))}
    for name in RENDERED:
        (target / name).write_text(fill(name, rendered))
    for file in target.iterdir():
        file.chmod(0o640)
    make_database(home, current(home))
