"""Which configuration a call is decided by: the one published last, read no more often than needed."""

import json
import os
from pathlib import Path

import pytest

from routing.tenant.tenant import Tenant
from services.allowed_text import AgiError
from services.published_tenants import PublishedTenants
from tests.tenants_for_tests import acme


def write_revision(home: Path, revision: str, *links: str, **tenants: Tenant) -> None:
    """A revision and the links to it, as an apply leaves them when it is done, or only those of `links`."""
    folder = home / "published" / revision / "tenants"
    folder.mkdir(parents=True)
    for slug, tenant in tenants.items():
        sounds = {name: f"{name}-0" for name in tenant.all_prompts()}
        (folder / f"{slug}.json").write_text(json.dumps({"tenant": tenant.model_dump(mode="json"), "sounds": sounds}))
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
