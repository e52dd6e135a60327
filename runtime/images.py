"""The two container images, made from Debian packages and the lock file without any image registry."""

import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runtime import root
from runtime.engine import answer_of
from runtime.failure import RuntimeFailure
from runtime.places import DOCKER, REPOSITORY, ROOT
from runtime.progress import run_shown, step
from runtime.sources import digest, source_digest, source_files

DOCKERFILE = REPOSITORY / "docker" / "services.Dockerfile"
LOCK = REPOSITORY / "requirements.lock"
NOBODY = "65534:65534"          # of an image; each service of docker/compose.yaml has a user of its own


@dataclass(frozen=True, slots=True)
class Images:
    """Names of existing images: the tag is the hash of all inputs."""

    asterisk: str
    services: str


def ensure_images() -> Images:
    """Builds missing images. The Asterisk root must exist."""
    return Images(asterisk_image(), services_image(services_base()))


def asterisk_image() -> str:
    """The local root without its instances."""
    name = tag("centralka-asterisk", (root.asterisk_recipe().stamp.encode(), NOBODY.encode()))
    if not exists(name):
        import_root(ROOT, name, f"USER {NOBODY}")
    return name


def services_base() -> str:
    """Debian 12 with Python."""
    recipe = root.services_recipe()
    name = tag("centralka-services-base", (recipe.stamp.encode(),))
    if not exists(name):
        base = DOCKER / "services-root"
        if not root.is_current(base, recipe):
            root.build(base, recipe)
        import_root(base, name, "ENV LANG=C.UTF-8")
        root.remove_tree(base)
    return name


def services_image(base: str) -> str:
    """Our code and its locked dependencies. Wheels are fetched on the host: a build may reach no package index."""
    name = tag("centralka-services", (base.encode(), DOCKERFILE.read_bytes(), source_digest().encode()))
    if exists(name):
        return name
    context = DOCKER / "context"
    wheels = context / "wheels"
    fetch_wheels(wheels)
    shutil.rmtree(context / "source", ignore_errors=True)
    for path in source_files():
        target = context / "source" / path.relative_to(REPOSITORY)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    shutil.copyfile(LOCK, context / "requirements.lock")
    with step("Image of the services") as running:
        code, output = run_shown(running, (
            "docker", "build", "--network=none", "--file", str(DOCKERFILE), "--tag", name,
            "--build-arg", f"BASE={base}", str(context),
        ))
        if code != 0:
            raise RuntimeFailure(f"docker build of {DOCKERFILE} ended with {code}:\n{output[-3000:]}")
    forget_older(name)
    return name


def fetch_wheels(wheels: Path) -> None:
    """The lock file's wheels for the image's Python, in `wheels`."""
    stamp = wheels / ".lock"
    lock = digest((LOCK.read_bytes(),))
    if stamp.is_file() and stamp.read_text() == lock:
        return
    shutil.rmtree(wheels, ignore_errors=True)
    with step("Python packages for the image") as running:
        code, output = run_shown(running, (
            sys.executable, "-m", "pip", "download", "--require-hashes", "--no-deps", "--only-binary=:all:",
            "--python-version=3.11", "--requirement", str(LOCK), "--dest", str(wheels),
        ))
        if code != 0:
            raise RuntimeFailure(f"pip download of {LOCK} ended with {code}:\n{output[-3000:]}")
    stamp.write_text(lock)


def import_root(tree: Path, name: str, change: str) -> None:
    """Makes an image of a Debian root, by the numbers of its owners."""
    with step(f"Image {name}"):
        tar = subprocess.Popen(
            ["tar", "-C", str(tree), "--numeric-owner", "--exclude=./srv/*", "-c", "."], stdout=subprocess.PIPE,
        )
        done = subprocess.run(
            ["docker", "import", "--change", change, "-", name], stdin=tar.stdout, capture_output=True, text=True, timeout=600,
        )
        if tar.stdout:
            tar.stdout.close()
        if tar.wait() != 0 or done.returncode != 0:
            raise RuntimeFailure(f"importing {tree} as {name} failed: {done.stderr.strip()}")


def exists(name: str) -> bool:
    return bool(answer_of("docker", "image", "inspect", "--format", "{{.Id}}", name))


def tag(name: str, parts: Iterable[bytes]) -> str:
    """`name` with a tag that changes with any of the parts."""
    return f"{name}:{digest(parts)[:12]}"


def forget_older(name: str) -> None:
    """Removes the images that `name` replaces, unless a container uses them."""
    repository = name.partition(":")[0]
    for other in answer_of("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", repository).splitlines():
        if other != name:
            answer_of("docker", "image", "rm", other)
