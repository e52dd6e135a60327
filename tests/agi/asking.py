"""How tests ask a call server."""

from ipaddress import ip_network

from agi.call_servers import CallServers, ServerRequest
from routing.call.call_server import CallServerReply, Failed
from tests.agi.service import Service

LOOPBACK = (ip_network("127.0.0.0/8"),)
BODY = {"call": "1700000000.7", "tenant": "acme", "digits": "12#", "caller": "+48600100200", "name": "Żółć"}
SALES = CallServerReply(go_to="sales")
LIMIT_S = 30.0         # a busy machine takes its time
SHORT_S = 0.3          # for a limit that is to be reached


def request(url: str, *, connect_s: float = LIMIT_S, answer_s: float = LIMIT_S, tenant: str = "acme") -> ServerRequest:
    return ServerRequest(tenant, "crm", url, "geheim", BODY, 1_700_000_000, connect_s, answer_s)


async def asked(service: Service, servers: CallServers | None = None, *, answer_s: float = LIMIT_S) -> CallServerReply | Failed:
    return await (servers or CallServers(LOOPBACK)).ask(request(service.url(), answer_s=answer_s))
