"""What a Python case says. Use it like this; the last line of output is the result that the harness reads:

    import world
    from checks import Checks

    checks = Checks()
    with checks.check("system-assigned"):
        world.assert_token(token, world.system_assigned())
    checks.done()
"""

import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager


class Checks:
    """Collects checks and prints them."""

    def __init__(self) -> None:
        self.all: list[dict] = []

    @contextmanager
    def check(self, name: str) -> Iterator[None]:
        """A check passes when its block ends without an exception."""
        try:
            yield
        except Exception as why:  # a client may raise anything; the next check still runs
            print(f"--- {name}", file=sys.stderr)
            traceback.print_exc()
            self.all.append({"name": name, "ok": False, "detail": f"{type(why).__name__}: {why}"[:2000]})
        else:
            self.all.append({"name": name, "ok": True})

    def done(self) -> None:
        """Prints the result."""
        print(json.dumps({"checks": self.all}), flush=True)
