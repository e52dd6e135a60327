"""Prompts: a tenant's own, and the system's phrases. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Self

from pydantic import Field, model_validator

from routing.numbering.value_types import Extension, Name, SoundFile, SpokenText
from routing.speech.phrases import PHRASES, Language
from yaml_models.strict_model import Part

# Phrases that only these sections' elements say, by how they begin: no sound is made where there is none.
PHRASES_OF = {
    "sys_conference_": "conferences", "sys_queue_": "queues", "sys_mobile_": "mobile_accesses", "sys_outside_": "trunks"}


class Spoken(Part):
    """A prompt: text that is spoken, or a sound file beside the tenant's file."""

    text: SpokenText | None = None
    file: SoundFile | None = None

    @model_validator(mode="after")
    def has_one_source(self) -> Self:
        if (self.text is None) == (self.file is None):
            raise ValueError("expected either text or file")
        return self


class Prompt(Spoken):
    """The same in other languages is played where a `sets` element has chosen one of them for the call."""

    language: Language | None = None     # of the text; the tenant's language without it
    translations: dict[Language, Spoken] = Field(default_factory=dict)


@lru_cache(maxsize=100)
def phrase_prompts(languages: tuple[Language, ...], unused: tuple[str, ...]) -> Mapping[Name, Prompt]:
    """The system's, in the first of the languages and translated into the others. Most tenants have the same."""
    first, *others = languages
    return {
        name: Prompt(text=texts[first], translations={other: Spoken(text=texts[other]) for other in others})
        for name, texts in PHRASES.items() if not name.startswith(unused)}


def name_of_user(extension: Extension) -> Name:
    """The prompt that says a user's name."""
    return f"sys_name_{extension}"


def name_of_element(element: Name) -> Name:
    """The prompt that says an element's name."""
    return f"sys_element_{element}"
