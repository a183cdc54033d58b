"""Install the servers and tools that the tests talk to: Debian packages, where this user may install them.

Where it may not (no root, no apt-get), it says which tests will be skipped and goes on: a missing peer is the
test run's affair (UNIRG_REQUIRE_PEERS=1 makes it a failure there).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# program -> the Debian package that brings it
PACKAGES = {
    "Orthanc": "orthanc",
    "storescu": "dcmtk",
    "dciodvfy": "dicom3tools",
    "redis-server": "redis-server",
    "initdb": "postgresql",
    "chromium": "chromium",
    "promtool": "prometheus",
    "strace": "strace",
    "docker-compose": "docker-compose",
    "systemd-analyze": "systemd",
}
FILES = {"/usr/share/orthanc/plugins/libOrthancDicomWeb.so": "orthanc-dicomweb"}
POSTGRES = [str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")]
SEARCH = os.pathsep.join(["/usr/bin", "/usr/sbin", "/usr/local/bin", *POSTGRES])
# No service of these packages is to be started by their installation: the tests start their own, on free ports.
NO_SERVICES = Path("/usr/sbin/policy-rc.d")


def absent() -> list[str]:
    """Debian packages whose program or file is not here."""
    programs = [package for name, package in PACKAGES.items() if shutil.which(name, path=SEARCH) is None]
    return programs + [package for file, package in FILES.items() if not Path(file).exists()]


def install(packages: list[str]) -> bool:
    """Install the packages without starting their services; whether it worked."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    guard = not NO_SERVICES.exists()
    if guard:
        NO_SERVICES.write_text("#!/bin/sh\nexit 101\n")
        NO_SERVICES.chmod(0o755)
    try:
        for command in (["apt-get", "-qq", "update"], ["apt-get", "-qq", "-y", "install", "--no-install-recommends"]):
            full = command if command[-1] == "update" else [*command, *packages]
            print(f"peers: {' '.join(full)}", flush=True)
            done = subprocess.run(full, check=False, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
            if done.returncode != 0:
                print(f"peers: {' '.join(full[:3])} failed:\n{done.stderr.decode(errors='replace')[-2000:]}")
                return False
    finally:
        if guard:
            NO_SERVICES.unlink()
    return True


def main() -> int:
    """Install what is missing where this user may; always 0: the tests count what they could not talk to."""
    missing = absent()
    if not missing:
        print("peers: all here")
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        why = "not root" if os.geteuid() != 0 else "no apt-get here"
        print(f"peers: not installed ({why}): {', '.join(missing)}; tests that need them will be skipped and counted")
        return 0
    install(missing)
    still = absent()
    print(f"peers: still missing: {', '.join(still)}" if still else "peers: all installed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
