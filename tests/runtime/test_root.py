from dataclasses import replace
from pathlib import Path

import pytest

from runtime.root import STAMP, Recipe, asterisk_recipe, finish_interrupted_swap, is_current

RECIPE = Recipe("forky", ("asterisk", "redis-server"))


def make_root(path: Path, recipe: Recipe | None = RECIPE) -> Path:
    (path / "srv").mkdir(parents=True)
    (path / "etc").mkdir()
    if recipe:
        (path / STAMP).write_text(recipe.stamp + "\n")
    return path


def test_a_root_is_made_anew_when_its_packages_or_its_suite_change(tmp_path: Path) -> None:
    root = make_root(tmp_path / "root")
    assert is_current(root, RECIPE)
    assert is_current(root, replace(RECIPE, packages=("redis-server", "asterisk")))
    assert not is_current(root, replace(RECIPE, packages=("asterisk",)))
    assert not is_current(root, replace(RECIPE, suite="sid"))


def test_a_root_whose_building_was_interrupted_is_not_used(tmp_path: Path) -> None:
    assert not is_current(tmp_path, RECIPE)
    assert not is_current(make_root(tmp_path / "root", recipe=None), RECIPE)


def test_asterisk_and_redis_come_from_the_package_list() -> None:
    assert {"asterisk", "redis-server"} <= set(asterisk_recipe().packages)


@pytest.mark.parametrize("interrupted", ["before the old root went", "before the instances moved", "after the instances moved"])
def test_instances_survive_an_exchange_of_roots_that_was_interrupted(tmp_path: Path, interrupted: str) -> None:
    root, building, old = tmp_path / "root", tmp_path / "root.building", tmp_path / "root.old"
    make_root(building, replace(RECIPE, suite="new"))
    where = root if interrupted == "before the old root went" else old
    make_root(where)
    (where / "srv" / "demo").mkdir()
    if interrupted == "after the instances moved":
        (building / "srv").rmdir()
        (old / "srv").rename(building / "srv")
    finish_interrupted_swap(root)
    assert (root / "srv" / "demo").is_dir()
    assert not old.exists()


def test_the_old_root_returns_when_the_new_one_was_never_complete(tmp_path: Path) -> None:
    make_root(tmp_path / "root.building", recipe=None)
    make_root(tmp_path / "root.old")
    finish_interrupted_swap(tmp_path / "root")
    assert is_current(tmp_path / "root", RECIPE)
