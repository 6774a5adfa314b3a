"""Makes the virtual environment and installs one of the locked sets of packages into it.

    python tools/install.py .venv requirements.txt

Does nothing when all of that set is there already. The standard library is all it needs.
"""

import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

NETWORK_TROUBLE = re.compile(
    r"NewConnectionError|ConnectionError|Max retries exceeded|Read timed out|ConnectTimeout"
    r"|name resolution|ProxyError|SSLError|connection broken"
)
OLDEST = "(3, 11)"
# A package with its version, and on which systems it is wanted.
PINNED = re.compile(r"^[a-z0-9].*==.*?(?= *\\?$)", re.MULTILINE)


class InstallFailed(Exception):
    """One sentence for the person: what went wrong, and what to do."""


def main() -> None:
    environment, lock = Path(sys.argv[1]), Path(sys.argv[2])
    # What is there, as the last lock that was installed names it.
    stamp = environment / "installed"
    wanted = set(PINNED.findall(lock.read_text()))
    if stamp.exists() and wanted <= set(stamp.read_text().splitlines()) and _works(environment):
        return
    try:
        stamp.unlink(missing_ok=True)
        if not _works(environment):
            _make(environment)
        _install(environment, lock, len(wanted))
    except InstallFailed as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; the next run goes on from here.")
    stamp.write_text("\n".join(sorted(wanted)))


def _works(environment: Path) -> bool:
    python = environment / "bin" / "python"
    check = f"import pip, sys; sys.exit(sys.version_info < {OLDEST})"
    return python.exists() and not subprocess.run([python, "-c", check], check=False).returncode


def _make(environment: Path) -> None:
    print(f"Making {environment} with Python {sys.version.split()[0]}", flush=True)
    try:
        venv.create(environment, clear=True, with_pip=True)
    except (subprocess.CalledProcessError, OSError) as error:
        shutil.rmtree(environment, ignore_errors=True)
        raise InstallFailed(
            f"The virtual environment {environment} cannot be made: {error}"
        ) from error


def _install(environment: Path, lock: Path, total: int) -> None:
    print(f"Installing {total} packages from {lock}", flush=True)
    # fmt: off
    command: list[str | Path] = [
        environment / "bin" / "python", "-m", "pip", "install",
        "--require-hashes", "--requirement", lock,
        "--no-input", "--disable-pip-version-check", "--retries", "2", "--timeout", "20",
    ]
    # fmt: on
    output = []
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            output.append(line)
            _show_progress(line, sum(map(_is_package, output)), total)
    log = environment / "pip.log"
    log.write_text("".join(output))
    if pip.returncode:
        raise InstallFailed(_explain("".join(output), lock, log))


def _is_package(line: str) -> bool:
    return line.startswith(("Collecting ", "Processing ", "Requirement already satisfied: "))


def _show_progress(line: str, done: int, total: int) -> None:
    if line.startswith(("Collecting ", "Processing ")):
        print(f"  {done} of {total}: {Path(line.split()[1]).name}", flush=True)
    elif line.startswith("Installing collected packages"):
        print("  unpacking", flush=True)
    elif "Retrying (" in line:
        print("  no answer; trying again", flush=True)


def _explain(output: str, lock: Path, log: Path) -> str:
    if "DO NOT MATCH THE HASHES" in output:
        return (
            f"A downloaded package is not the one that {lock} was locked with, so nothing was "
            f"installed: look at {log}, and if a mirror or proxy alters packages, use another."
        )
    if NETWORK_TROUBLE.search(output):
        return (
            "The packages could not be downloaded: check the network connection (and "
            f"PIP_INDEX_URL or the proxy, where one is needed) and run this again; {log} has "
            "the details."
        )
    errors = re.findall(r"^ERROR: (.+)", output, re.MULTILINE) or ["unknown"]
    return f"The packages could not be installed ({errors[-1]}): {log} has the details."


if __name__ == "__main__":
    main()
