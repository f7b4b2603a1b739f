"""The control plane, by plain requests of symbolon's own administrator."""

import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request

import world

API_VERSION = "2024-07-01"


class Refused(Exception):
    """An answer that isn't a success."""

    def __init__(self, status: int, body: dict) -> None:
        super().__init__(f"{status} {json.dumps(body)[:1500]}")
        self.status, self.body = status, body


class Arm:
    """A client with a token."""

    def __init__(self) -> None:
        self.context = ssl.create_default_context(cafile=world.READY["caFile"])
        admin = world.READY["admin"]
        form = {
            "grant_type": "client_credentials", "client_id": admin["clientId"], "client_secret": admin["clientSecret"],
            "scope": "https://management.azure.com/.default",
        }  # fmt: skip
        url = f"{world.READY['authority']}/{world.READY['tenantId']}/oauth2/v2.0/token"
        reply = urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), context=self.context, timeout=20)
        self.token = json.load(reply)["access_token"]

    def send(self, method: str, path: str, body: dict | None = None) -> tuple[int, dict, dict]:
        """One request; status, headers and body of the answer."""
        url = path if path.startswith("https:") else world.READY["arm"] + path
        if "api-version=" not in url:
            url += f"{'&' if '?' in url else '?'}api-version={API_VERSION}"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=60) as reply:
                return reply.status, dict(reply.headers), json.loads(reply.read() or b"{}")
        except urllib.error.HTTPError as why:
            raise Refused(why.code, json.loads(why.read() or b"{}")) from None

    def get(self, path: str) -> dict:
        """What stands there."""
        return self.send("GET", path)[2]

    def begin(self, method: str, path: str, body: dict | None = None) -> str | None:
        """Begins something; where its end is told, when it takes longer."""
        _, headers, _ = self.send(method, path, body)
        named = {name.lower(): value for name, value in headers.items()}
        return named.get("azure-asyncoperation")

    def wait(self, operation: str | None, seconds: float) -> dict:
        """What an operation ends with."""
        deadline = time.monotonic() + seconds
        while operation:
            said = self.get(operation)
            if said["status"] not in ("InProgress", "Running", "Accepted"):
                return said
            assert time.monotonic() < deadline, f"not done after {seconds} s: {said}"
            time.sleep(0.2)
        return {"status": "Succeeded"}

    def do(self, method: str, path: str, body: dict | None = None, seconds: float = 60) -> dict:
        """Does something and waits for its end."""
        return self.wait(self.begin(method, path, body), seconds)
