"""The command that prints JSON Schemas."""

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer
from pydantic import BaseModel

from routing.call.call_server import CallServerReply
from routing.platform.platform import Platform
from routing.tenant.tenant import Tenant
from simulator.scenario import Scenarios


class SchemaOf(StrEnum):
    TENANT = "tenant"
    SCENARIOS = "scenarios"
    CALL_SERVER = "call-server"
    PLATFORM = "platform"


DESCRIBED: dict[SchemaOf, type[BaseModel]] = {
    SchemaOf.PLATFORM: Platform, SchemaOf.TENANT: Tenant, SchemaOf.SCENARIOS: Scenarios, SchemaOf.CALL_SERVER: CallServerReply}


def schema(of: Annotated[SchemaOf, typer.Argument(help="What it describes.")] = SchemaOf.TENANT) -> None:
    sys.stdout.write(json.dumps(DESCRIBED[of].model_json_schema(), indent=2, ensure_ascii=False) + "\n")
