"""One log line per fact, key=value, on standard output."""

import logging
import sys

import structlog


def configure_log(*, for_person: bool = False) -> None:
    """For a service: everything, on standard output. For a person at the command line: what is wrong, on standard error."""
    stream = sys.stderr if for_person else sys.stdout
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event", "tenant", "call"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR if for_person else logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=stream, level=logging.WARNING, format="level=%(levelname)s event=%(message)r logger=%(name)s")
