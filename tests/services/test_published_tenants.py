"""Which configuration a call is decided by: the one published last, read no more often than needed."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from confgen.published_tenant import Source, published_values, read_published
from routing.check.check import read_platform, read_tenant
from routing.hours.calendars import CalendarEvent
from routing.platform.platform import Platform
from routing.tenant.tenant import Tenant
from services.asterisk_text import AgiError
from services.published_tenants import PublishedTenants
from tests.tenants_for_tests import acme, changed


def write_revision(home: Path, revision: str, *links: str, **tenants: Tenant) -> None:
    """A revision and the links to it, as an apply leaves them when it is done, or only those of `links`."""
    folder = home / "published" / revision / "tenants"
    folder.mkdir(parents=True)
    for slug, tenant in tenants.items():
        sounds = {name: f"{name}-0" for name in tenant.all_prompts()}
        (folder / f"{slug}.json").write_text(json.dumps({**published_values(tenant, None), "sounds": sounds}))
    for name in links or ("current", "decided"):
        new = home / "published" / "new"
        new.symlink_to(revision)
        os.replace(new, home / "published" / name)


def named(name: str) -> Tenant:
    return acme(("name: Acme", f"name: {name}"))


def test_published_tenant_is_the_one_that_was_checked(tmp_path: Path) -> None:
    write_revision(tmp_path, "1", acme=acme())
    published = PublishedTenants(tmp_path).tenant("acme")
    assert published.tenant == acme()
    assert published.sounds["welcome"] == "welcome-0"


@pytest.mark.parametrize("slug", ["", "../acme", "tenants/acme", "ACME", "acme\n", "a", "1acme", "acme.json", "a" * 32, "acme ", "ącme", "x-acme"])
def test_slug_of_any_other_form_opens_no_file(tmp_path: Path, slug: str) -> None:
    write_revision(tmp_path, "1", acme=acme())
    with pytest.raises(AgiError, match="tenant: found "):
        PublishedTenants(tmp_path).tenant(slug)


def test_tenant_that_is_not_published_is_told(tmp_path: Path) -> None:
    write_revision(tmp_path, "1", acme=acme())
    with pytest.raises(AgiError, match="tenant 'rossi' is not published"):
        PublishedTenants(tmp_path).tenant("rossi")


def test_instance_where_nothing_is_published_is_told(tmp_path: Path) -> None:
    with pytest.raises(AgiError, match="nothing is published"):
        PublishedTenants(tmp_path).tenant("acme")


def test_call_after_an_apply_is_decided_by_the_new_configuration(tmp_path: Path) -> None:
    write_revision(tmp_path, "1", acme=named("Before"))
    published = PublishedTenants(tmp_path)
    assert published.tenant("acme").tenant.name == "Before"
    write_revision(tmp_path, "2", acme=named("After"))
    assert published.tenant("acme").tenant.name == "After"


def test_call_during_an_apply_is_decided_by_the_old_configuration(tmp_path: Path) -> None:
    write_revision(tmp_path, "1", acme=named("Before"))
    published = PublishedTenants(tmp_path)
    write_revision(tmp_path, "2", "current", acme=named("After"))
    assert published.tenant("acme").tenant.name == "Before"
    assert PublishedTenants(tmp_path).tenant("acme").tenant.name == "Before", "a service that starts just then, too"


def test_call_after_a_rollback_is_decided_by_the_old_configuration(tmp_path: Path) -> None:
    published = PublishedTenants(tmp_path)
    for revision, name in (("1", "Before"), ("2", "After"), ("3", "Before")):
        write_revision(tmp_path, revision, acme=named(name))
        assert published.tenant("acme").tenant.name == name


def test_tenant_that_an_apply_removed_is_gone_and_comes_back(tmp_path: Path) -> None:
    published = PublishedTenants(tmp_path)
    write_revision(tmp_path, "1", acme=acme())
    assert published.tenant("acme")
    write_revision(tmp_path, "2")
    with pytest.raises(AgiError, match="is not published"):
        published.tenant("acme")
    write_revision(tmp_path, "3", acme=acme())
    assert published.tenant("acme").tenant == acme()


def test_file_is_read_once_in_a_revision(tmp_path: Path) -> None:
    write_revision(tmp_path, "1", acme=acme())
    published = PublishedTenants(tmp_path)
    first = published.tenant("acme")
    (tmp_path / "published" / "1" / "tenants" / "acme.json").unlink()
    assert published.tenant("acme") is first


def test_tenant_that_an_apply_left_alone_is_not_built_again(tmp_path: Path) -> None:
    write_revision(tmp_path, "1", acme=acme(), other=named("Before"))
    published = PublishedTenants(tmp_path)
    first, other = published.tenant("acme"), published.tenant("other")
    write_revision(tmp_path, "2", acme=acme(), other=named("After"))
    assert published.tenant("acme") is first
    assert published.tenant("other") is not other


def of_another_version(values: dict[str, Any]) -> dict[str, Any]:
    """Published values that this version does not understand: a model of theirs has another field."""
    return {**values, "format": "another", "tenant": {**values["tenant"], "vintage": 1}}


def rewrite(home: Path, revision: str, slug: str, text: str) -> None:
    (home / "published" / revision / "tenants" / f"{slug}.json").write_text(text)


UNREADABLE = ["", "{", "[]", "null", "7", "{}", '{"tenant": 1}', '{"format": "another", "source": null, "tenant": {"vintage": 1}}', "[" * 9999]


@pytest.mark.parametrize("text", UNREADABLE)
def test_file_that_cannot_be_read_touches_no_other_tenant_and_no_service(tmp_path: Path, text: str) -> None:
    write_revision(tmp_path, "1", acme=acme(), other=named("Other"))
    rewrite(tmp_path, "1", "acme", text)
    published = PublishedTenants(tmp_path)
    with capture_logs() as logs, pytest.raises(AgiError, match="'acme': its published file cannot be read"):
        published.tenant("acme")
    assert [(entry["event"], entry["tenant"], entry["exc_info"]) for entry in logs] == [("published_tenant_unreadable", "acme", True)]
    assert published.zone_of("acme") is UTC
    assert published.tenant("other").tenant.name == "Other"


@pytest.mark.parametrize("text", UNREADABLE)
def test_tenant_whose_new_file_cannot_be_read_keeps_what_was_read_before(tmp_path: Path, text: str) -> None:
    write_revision(tmp_path, "1", acme=named("Before"))
    published = PublishedTenants(tmp_path)
    assert published.tenant("acme").tenant.name == "Before"
    write_revision(tmp_path, "2", acme=named("After"))
    rewrite(tmp_path, "2", "acme", text)
    assert published.tenant("acme").tenant.name == "Before"
    write_revision(tmp_path, "3", acme=named("Later"))
    assert published.tenant("acme").tenant.name == "Later"


def test_file_of_another_version_is_made_anew_of_the_tenants_own(tmp_path: Path) -> None:
    """By any service, without an apply: a container of the new version starts on what the old one has published."""
    platform = read_platform("brake: null\n", "platform.yaml")
    tenant = read_tenant(changed(), "acme.yaml", platform)
    write_revision(tmp_path, "1", acme=tenant)
    values = published_values(tenant, Source("acme.yaml", changed(), "brake: null\n")) | {"sounds": {"welcome": "welcome-0"}}
    rewrite(tmp_path, "1", "acme", json.dumps(of_another_version(values)))
    found = PublishedTenants(tmp_path).tenant("acme")
    assert found.tenant == tenant
    assert found.sounds == {"welcome": "welcome-0"}


def test_events_of_a_calendar_beside_the_file_are_kept_over_versions(tmp_path: Path) -> None:
    day = datetime(2026, 12, 24, tzinfo=UTC)
    text = changed() + "calendars:\n  firm: {file: firm.ics}\n"
    tenant = read_tenant(text, "acme.yaml", Platform())
    event = CalendarEvent(begins=day, ends=day + timedelta(days=1), title="Eve")
    tenant = tenant.model_copy(update={"calendars": {"firm": tenant.calendars["firm"].model_copy(update={"events": (event,)})}})
    assert read_published(of_another_version(published_values(tenant, Source("acme.yaml", text)))) == tenant
