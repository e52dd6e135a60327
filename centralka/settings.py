"""Settings of one running instance, chosen by the operator: its directory and its listening addresses."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path, PurePosixPath
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from confgen.publish.sound_cache import users_sound_cache

AMI_USER, AMI_CEL_USER, AMI_CLI_USER = "centralka", "centralka-cel", "centralka-cli"      # in templates/manager.conf.j2

OWN_CERTIFICATE, OWN_KEY = "tls/certificate.pem", "tls/key.pem"     # in the instance's directory
SIP_CERTIFICATE, SIP_KEY = "tls/sip.pem", "tls/sip-key.pem"         # copies there, which Asterisk may read
WEB_CERTIFICATE, WEB_KEY = "tls/web.pem", "tls/web-key.pem"         # and others, which the provisioning service may read
AMI_LOGIN = "ami.secret"            # the AMI service's own secret: it may read no other


def networks(text: object) -> object:
    """'127.0.0.0/8, 10.1.0.0/16' as networks. Raises ValueError."""
    if not isinstance(text, str):
        return text
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


PRIVATE_NETWORKS = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8")))
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(networks)]


class Settings(BaseSettings):
    """Read from the environment (CENTRALKA_...) over `<home>/settings.env`.

    Everything listens on loopback until the operator's settings say otherwise.
    """

    model_config = SettingsConfigDict(env_prefix="CENTRALKA_", extra="forbid", frozen=True)

    home: Path                                  # the instance's directory, as this process sees it
    asterisk_home: PurePosixPath = PurePosixPath("/srv/centralka")  # the same directory, as Asterisk sees it
    tenants: Path = Path("tenants")             # the directory of tenant files
    sip_address: str = "127.0.0.1"
    sip_port: int = Field(default=5060, ge=1, le=65535)
    sip_tcp: bool = True                        # SIP over TCP at the same port, besides UDP
    sip_tls_port: int = Field(default=0, ge=0, le=65535)      # usually 5061: then equipment speaks TLS and SRTP; 0: none does
    outside_address: str = ""                   # address or host name that peers outside know: behind 1:1 NAT, in a cloud
    inside_networks: Networks = PRIVATE_NETWORKS        # their peers get the SIP address instead
    rtp_start: int = Field(default=10000, ge=1024, le=65535)
    rtp_end: int = Field(default=10999, ge=1024, le=65535)
    agi_address: str = "127.0.0.1"
    agi_port: int = Field(default=4573, ge=1, le=65535)
    ami_address: str = "127.0.0.1"
    ami_port: int = Field(default=5038, ge=1, le=65535)
    public_host: str = ""                       # host name of this machine for telephones; default: the SIP address
    provision_address: str = "127.0.0.1"        # telephones fetch their configuration here, over HTTPS
    provision_port: int = Field(default=8443, ge=1, le=65535)
    provision_mutual_port: int = Field(default=8444, ge=1, le=65535)    # the same for devices with a certificate of these
    device_authorities: Path | None = None      # makers' (PEM); without them nothing listens there
    certificate: Path = Path()                  # PEM, with the chain; default: one made for this instance
    certificate_key: Path = Path()
    metrics_address: str = ""                   # of the services' /metrics; default: the AGI address
    metrics_agi_port: int = Field(default=9861, ge=0, le=65535)         # 0: not served
    metrics_ami_port: int = Field(default=9862, ge=0, le=65535)
    metrics_provision_port: int = Field(default=9863, ge=0, le=65535)
    redis_url: str = ""                         # default: the socket in the instance's directory
    database_url: str = ""                      # default: SQLite in the instance's directory
    sound_cache: Path | None = Field(default_factory=users_sound_cache)     # spoken prompts, shared by instances; optional

    call_server_networks: Networks = ()         # of our own that tenants' call servers may be in, such as 10.1.0.0/16
    call_server_ca_file: Path | None = None     # certificates (PEM) that call servers are trusted by, besides the public ones

    @model_validator(mode="before")
    @classmethod
    def fill_defaults(cls, values: dict[str, object]) -> dict[str, object]:
        home = Path(str(values["home"])).absolute() if values.get("home") else None
        if home is not None:
            values["home"] = home
            values["redis_url"] = values.get("redis_url") or f"unix://{home}/run/redis.sock"
            values["database_url"] = values.get("database_url") or f"sqlite+aiosqlite:///{home}/records/centralka.sqlite"
            values["public_host"] = values.get("public_host") or values.get("sip_address") or "127.0.0.1"
            values["metrics_address"] = values.get("metrics_address") or values.get("agi_address") or "127.0.0.1"
            values["certificate"] = values.get("certificate") or home / OWN_CERTIFICATE
            values["certificate_key"] = values.get("certificate_key") or home / OWN_KEY
        return values

    @property
    def media_address(self) -> str:
        """Of telephones' audio; empty where Asterisk listens at all addresses of the machine."""
        return "" if ip_address(self.sip_address).is_unspecified else self.sip_address

    @property
    def provision_url(self) -> str:
        """The address of the provisioning service, as telephones reach it."""
        return f"https://{self.public_host}:{self.provision_port}"

    @classmethod
    def load(cls, home: Path) -> Self:
        """The settings of the instance in `home`."""
        return cls(_env_file=home / "settings.env", home=home)  # type: ignore[call-arg]

    @classmethod
    def load_instance(cls, home: Path) -> Self:
        """The same, of an instance that has been made. Raises LookupError without one."""
        settings = cls.load(home)
        if not (settings.home / "published").exists():
            raise LookupError(f"there is no instance in {settings.home}: `make up` makes one, or name another with --home")
        return settings
