"""Strict model: the base of every part of a file that people write. Pure."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A field that nobody knows is an error, and nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)    # a command builds the models it uses
