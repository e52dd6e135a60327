"""The Debian root that Asterisk and Redis run in, built by mmdebstrap from the package lists."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from runtime.failure import RuntimeFailure
from runtime.mirror import find_mirror
from runtime.packages import read_list
from runtime.places import PACKAGE_LISTS
from runtime.progress import Step, run_shown, step, warn

STAMP = "etc/centralka-root"            # in the root: the recipe it was made by
OPTIONS = (
    "--variant=minbase", "--mode=root",
    "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*",
)
EXPIRED = "is expired (invalid since"   # apt's messages for an outdated mirror


@dataclass(frozen=True, slots=True)
class Recipe:
    """The inputs of a root."""

    suite: str
    packages: tuple[str, ...]

    @property
    def stamp(self) -> str:
        """Changes whenever a root made by this recipe would."""
        return hashlib.sha256("\n".join((self.suite, *sorted(self.packages), *OPTIONS)).encode()).hexdigest()


def asterisk_recipe() -> Recipe:
    """The recipe of the Asterisk root, by the lists in docker/packages."""
    (suite,) = read_list(PACKAGE_LISTS / "suite.txt")
    return Recipe(suite, read_list(PACKAGE_LISTS / "asterisk.txt"))


def services_recipe() -> Recipe:
    """The recipe of the root that the services image starts from: Debian 12, whose Python is the one we support."""
    return Recipe("bookworm", read_list(PACKAGE_LISTS / "services.txt"))


def is_current(root: Path, recipe: Recipe) -> bool:
    """True if `root` is complete and made by `recipe`."""
    stamp = root / STAMP
    return stamp.is_file() and stamp.read_text().strip() == recipe.stamp


def build(root: Path, recipe: Recipe) -> None:
    """Builds `root` again by `recipe`, keeping the instances in its srv/. Until the new one is complete the old one stays."""
    if os.geteuid() != 0:
        raise RuntimeFailure(f"building {root} with mmdebstrap and chroot needs root; run make with sudo")
    building, old = beside(root)
    finish_interrupted_swap(root)
    remove_tree(building)
    root.parent.mkdir(parents=True, exist_ok=True)
    with step(f"Debian root with {len(recipe.packages)} packages from {recipe.suite} (once)") as running:
        code, output = debootstrap(building, recipe, running, check_expiry=True)
        if code != 0 and EXPIRED in output:
            warn("the Debian mirror lags, its Release file has expired: going on without that check (signatures are checked)")
            remove_tree(building)
            code, output = debootstrap(building, recipe, running, check_expiry=False)
        if code != 0:
            remove_tree(building)
            raise RuntimeFailure(f"mmdebstrap of {recipe.suite} ended with {code}:\n{output[-3000:]}")
        (building / "etc" / "hosts").write_text("127.0.0.1 localhost\n::1 localhost ip6-localhost\n")
        (building / STAMP).write_text(recipe.stamp + "\n")
        if root.exists():
            root.rename(old)
        finish_interrupted_swap(root)


def debootstrap(target: Path, recipe: Recipe, running: Step, *, check_expiry: bool) -> tuple[int, str]:
    """One run of mmdebstrap; its exit code and output."""
    expiry = () if check_expiry else ('--aptopt=Acquire::Check-Valid-Until "false"',)
    mirror = find_mirror()
    return run_shown(running, (
        "mmdebstrap", *OPTIONS, *expiry, f"--include={','.join(recipe.packages)}",
        recipe.suite, str(target), *((mirror,) if mirror else ()),
    ))


def beside(root: Path) -> tuple[Path, Path]:
    """The directory in which a new root is built, and the one in which the old root waits for removal."""
    return root.with_name(f"{root.name}.building"), root.with_name(f"{root.name}.old")


def finish_interrupted_swap(root: Path) -> None:
    """Completes or undoes the exchange of roots from wherever it stopped, so that no instance is ever lost."""
    building, old = beside(root)
    if not root.exists():
        if (building / STAMP).is_file():
            if (old / "srv").exists():
                shutil.rmtree(building / "srv", ignore_errors=True)
                (old / "srv").rename(building / "srv")
            building.rename(root)
        elif old.exists():
            old.rename(root)
    remove_tree(old)


def remove_tree(path: Path) -> None:
    """Removes a root, unless something is mounted in it (a killed mmdebstrap leaves /proc there)."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    inside = [point for point in mounted if Path(point).is_relative_to(path)]
    if inside:
        points = " ".join(reversed(inside))
        raise RuntimeFailure(f"{path} still has mounts, left by a killed mmdebstrap; as root: umount {points}")
    if path.exists():
        shutil.rmtree(path)
