"""Metrics: counters, gauges and histograms of the services, as Prometheus reads them.

Each service serves the registry of its own (services/metrics_server.py). Labels take values of our code or of the published
configuration only, never a caller's, so the number of time series is bounded.
"""

import re
from collections.abc import MutableMapping
from typing import Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

COMMON: Final = CollectorRegistry()       # of every service
AGI: Final = CollectorRegistry()
AMI: Final = CollectorRegistry()
PROVISION: Final = CollectorRegistry()

ProcessCollector(registry=COMMON)
disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which no rule reads

MOST_EVENTS: Final = 200                  # label values of EXCEPTIONS; our code has fewer places
OTHER: Final = "other"

EXCEPTIONS: Final = Counter(
    "centralka_exceptions", "Exceptions that an outermost loop caught and logged with their traceback, by log event.",
    ["event"], registry=COMMON)
PUBLISHED_FILES_REFUSED: Final = Counter(
    "centralka_published_files_refused", "Reads of a published file that failed: missing, torn or of another version.",
    registry=COMMON)

DECISIONS: Final = Counter(
    "centralka_decisions", "Answered FastAGI requests, by request (step, transfer, admit) and result: the step's name, "
    "'allowed' or 'refused'. The result 'failover' means that the tenant's rendered failover took the call.",
    ["request", "result"], registry=AGI)
DECISION_SECONDS: Final = Histogram(
    "centralka_decision_seconds", "Time from a complete FastAGI request to its decision, in seconds.", ["request"],
    registry=AGI, buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30))
AGI_REQUESTS_IN_PROGRESS: Final = Gauge(
    "centralka_agi_requests_in_progress", "FastAGI connections that are open now.", registry=AGI)
AGI_REQUESTS_FAILED: Final = Counter(
    "centralka_agi_requests_failed", "FastAGI requests without a decision, by reason: malformed, too_slow, peer_left or "
    "exception. The dialplan asks again, then the tenant's failover takes the call.", ["reason"], registry=AGI)
AGI_REQUESTS_CUT: Final = Counter(
    "centralka_agi_requests_cut", "FastAGI requests that a stop of the service ended before their decision.", registry=AGI)

CALLS_STARTED: Final = Counter("centralka_calls_started", "Calls that began, by tenant.", ["tenant"], registry=AMI)
CALLS_ENDED: Final = Counter(
    "centralka_calls_ended", "Calls that ended, by tenant and outcome as in the call record: answered, unanswered, interrupted "
    "and so on.", ["tenant", "outcome"], registry=AMI)
CALLS_FAILED_OVER: Final = Counter(
    "centralka_calls_failed_over", "Ended calls that the tenant's rendered failover took.", ["tenant"], registry=AMI)
CALLS_IN_PROGRESS: Final = Gauge("centralka_calls_in_progress", "Calls in progress.", registry=AMI)
RECORDS_WRITTEN: Final = Counter("centralka_records_written", "Call records written to the database.", registry=AMI)
RECORDS_WAITING: Final = Gauge(
    "centralka_records_waiting", "Records of ended calls that wait for the database.", registry=AMI)
RECORDS_LOST: Final = Counter(
    "centralka_records_lost", "Calls without a record, by reason, such as 'refused' (by the database).", ["reason"],
    registry=AMI)
CEL_LINES_REFUSED: Final = Counter(
    "centralka_cel_lines_refused", "Lines of the CEL file that are no events or could not be applied.", registry=AMI)
CEL_EVENTS_MISSED: Final = Counter(
    "centralka_cel_events_missed", "Events of calls that the CEL file lacks and that were taken from AMI.", registry=AMI)
LOG_LINES_LEFT_OUT: Final = Counter(
    "centralka_log_lines_left_out", "Messages of Asterisk that messages.log and security.log leave out: over their limits.",
    registry=AMI)
SIP_WRONG_PASSWORDS: Final = Counter(
    "centralka_sip_wrong_passwords", "SIP requests with a wrong password, or under a name that no account has.", registry=AMI)
SIP_BANS: Final = Gauge("centralka_sip_bans", "Addresses that are banned from SIP now.", registry=AMI)
SIP_BANS_BEGUN: Final = Counter("centralka_sip_bans_begun", "Bans of addresses that guessed SIP passwords.", registry=AMI)
CEL_FREE_BYTES: Final = Gauge(
    "centralka_cel_free_bytes", "Free space in the file system of the CEL file.", registry=AMI)
CEL_RESERVED_BYTES: Final = Gauge(
    "centralka_cel_reserved_bytes", "Space that is reserved for the CEL file when its file system is full.", registry=AMI)
AMI_CONNECTED: Final = Gauge("centralka_ami_connected", "1 while the AMI service is logged in to Asterisk.", registry=AMI)
REDIS_WRITABLE: Final = Gauge(
    "centralka_redis_writable", "1 while Redis takes what the AMI service writes, 0 while it is down or its disk is full.",
    registry=AMI)
QUEUE_CALLERS: Final = Gauge("centralka_queue_callers", "Callers waiting, by queue.", ["queue"], registry=AMI)
QUEUE_LONGEST_WAIT_SECONDS: Final = Gauge(
    "centralka_queue_longest_wait_seconds", "The longest wait of a caller who is waiting now, by queue.", ["queue"],
    registry=AMI)
QUEUE_AGENTS: Final = Gauge(
    "centralka_queue_agents", "Agents by queue and state: logged_in, or available to take a call now.", ["queue", "state"],
    registry=AMI)
DEVICES: Final = Gauge(
    "centralka_devices", "Devices of users by state: registered, or gone (registered before and not now).", ["state"],
    registry=AMI)
TRUNK_REGISTERED: Final = Gauge(
    "centralka_trunk_registered", "1 while Asterisk is registered with the trunk's carrier, 0 while it is not.", ["trunk"],
    registry=AMI)
DATA_FREE_BYTES: Final = Gauge(
    "centralka_data_free_bytes", "Free space in the file system of the instance's directory.", registry=AMI)
DATA_SIZE_BYTES: Final = Gauge(
    "centralka_data_size_bytes", "Size of the file system of the instance's directory.", registry=AMI)

PROVISION_REQUESTS: Final = Counter(
    "centralka_provision_requests", "Requests for telephones' files, by result: served, missing (a known device has no "
    "such file), refused or blocked.", ["result"], registry=PROVISION)
PROVISION_CONNECTIONS_REFUSED: Final = Counter(
    "centralka_provision_connections_refused", "Connections that ended without an HTTP request, by reason: too_many, too_slow, "
    "malformed, peer_left or exception.", ["reason"], registry=PROVISION)


def exposition(registry: CollectorRegistry) -> bytes:
    """The metrics of every service and of this one, in Prometheus' text format."""
    return generate_latest(COMMON) + generate_latest(registry)


_events: set[str] = set()


def count_exception(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: counts each log entry that has an exception, by its event."""
    if entry.get("exc_info"):
        event = re.sub("[^a-z0-9]+", "_", str(entry.get("event", "")).lower()).strip("_")[:60]
        if event not in _events and len(_events) >= MOST_EVENTS:
            event = OTHER
        _events.add(event)
        EXCEPTIONS.labels(event).inc()
    return entry
