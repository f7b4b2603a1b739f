"""A guest: a throw-away root with the machine's own programs in it, in which an agent runs as it would in a VM. Nothing it
writes goes elsewhere than to memory or to a folder of the case's own. It has its own processes and mounts; the network is
that of the case, which has nothing but `lo`, or one of `guest_network`."""

import os
import shlex
import signal
import subprocess
from pathlib import Path

from guest_network import GuestNetwork

SCRIPT = r"""
set -e
mount --make-rprivate /
mkdir -p "$GUEST/root" "$GUEST/lib/waagent" "$GUEST/log/azure"
ROOT="$GUEST/root"
mount -t tmpfs -o mode=0755 tmpfs "$ROOT"
cd "$ROOT"
mkdir -p usr etc proc dev run root home tmp var/lib var/log upper scratch
chmod 1777 tmp
ln -s /run var/run
for name in bin sbin lib lib32 lib64 libx32; do
    if [ -L "/$name" ]; then ln -s "$(readlink "/$name")" "$name"; fi
done
mount --rbind /usr usr
mount -t overlay overlay -o lowerdir=/etc,upperdir=upper,workdir=scratch,userxattr etc
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs tmpfs run
for folder in $SHOWN; do mkdir -p "$ROOT$folder"; mount --bind "$folder" "$ROOT$folder"; done
mount --bind "$GUEST/lib" var/lib
mount --bind "$GUEST/log" var/log
hostname guest
exec chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 sh -c "$COMMAND"
"""


class Guest:
    """A guest in which one command runs at a time."""

    def __init__(self, folder: Path, shown: list[Path], network: GuestNetwork | None = None) -> None:
        """`shown` are folders of the machine that it sees too; without a `network` it has the case's."""
        self.enter = network.enter if network else []
        self.folder = folder.absolute()
        self.shown = [self.folder, *(path.absolute() for path in shown)]
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process: subprocess.Popen | None = None

    @property
    def agent_folder(self) -> Path:
        """The guest's /var/lib/waagent."""
        return self.folder / "lib/waagent"

    @property
    def state_folder(self) -> Path:
        """The guest's /var/lib/symbolon."""
        return self.folder / "lib/symbolon"

    @property
    def log_folder(self) -> Path:
        """The guest's /var/log."""
        return self.folder / "log"

    def start(self, command: list[str], log: str) -> None:
        """Starts the machine with its agent."""
        environment = {"PATH": os.environ["PATH"], "GUEST": str(self.folder), "COMMAND": shlex.join(command)}
        environment["SHOWN"] = " ".join(map(str, self.shown))
        enter = [*self.enter, "unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "sh", "-c", SCRIPT]
        with (self.folder / log).open("ab") as output:
            self.process = subprocess.Popen(
                enter, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    def run(self, command: list[str]) -> None:
        """Runs a command in the running machine, as its root by hand would: with none of the agent's environment."""
        first = self.first_process()
        enter = ["nsenter", f"--target={first}", "--mount", "--uts", "--ipc", "--pid", f"--root=/proc/{first}/root"]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        ended = subprocess.run(
            [*enter, *command], env=environment, cwd="/", capture_output=True, text=True, timeout=120, check=False
        )
        said = f"{ended.stdout}{ended.stderr}".strip()
        assert ended.returncode == 0, f"{shlex.join(command)}: exit {ended.returncode}: {said}"

    def first_process(self) -> int:
        """The machine's process 1: what `unshare` started."""
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and f"\nPPid:\t{self.process.pid}\n" in (entry / "status").read_text():
                    return int(entry.name)
            except OSError:
                continue
        raise AssertionError("the machine doesn't run")

    def stop(self) -> None:
        """Pulls the plug: everything in it ends at once."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
