"""A Hush provider for tests, and a pytest fixture.

It runs the program idp on a free port, and calls the API for development, which the provider describes at
/console/openapi.json. There are no dependencies but Python 3.9; pytest is needed for the fixture only.
"""

import base64
import hashlib
import json
import os
import secrets
import subprocess
import threading
from urllib.error import HTTPError
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener


class HushError(Exception):
    """The answer of the provider, or of its authorization endpoint, was an error.

    error is the code, such as login_required, or "". status is the HTTP status, or 0 if the error came in a redirect.
    """

    def __init__(self, message, error="", status=0):
        super().__init__(message)
        self.error, self.status = error, status


class _StaysHere(HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None  # a redirect is an answer: its address has the code


_opener = build_opener(_StaysHere)


def _send(method, url, body=None, headers=None):
    """Returns status, headers and text of the answer, whatever the status is."""
    try:
        answer = _opener.open(Request(url, body, headers or {}, method=method))
    except HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read().decode()


def _json(text):
    try:
        return json.loads(text)
    except ValueError:
        return {}


class Hush:
    """A provider at an issuer. start runs one; the constructor takes one that runs already."""

    def __init__(self, issuer):
        self.issuer = issuer
        self._process = None

    @classmethod
    def start(cls, config=None, command=None, args=(), timeout=30):
        """Starts a provider on a free port of this machine, with its data in memory.

        config is what a configuration file would hold (docs/configuration.md). command is the program; by default
        $HUSH_IDP, or else idp in PATH. It signs with ES256, whose key is made at once. timeout is in seconds.
        The HUSH_ variables of the shell have no effect on the provider.
        """
        command = command or os.environ.get("HUSH_IDP", "idp")
        text = json.dumps({"signing_keys": [{"alg": "ES256"}], **(config or {})})
        own = {name: value for name, value in os.environ.items() if not name.startswith("HUSH_")}
        flags = ["--listen", "127.0.0.1:0", "--store", "memory", "--log-level", "error", "--log-format", "json"]
        try:
            process = subprocess.Popen(
                [command, *flags, *args], env={**own, "HUSH_CONFIG_JSON": text}, stdout=subprocess.PIPE, text=True
            )
        except FileNotFoundError:
            raise HushError(
                f"cannot start {command}: build it with `make build` in a clone of Hush, and set HUSH_IDP to bin/idp "
                "or put it into PATH"
            ) from None
        late = threading.Timer(timeout, process.kill)
        late.start()
        line = process.stdout.readline()  # empty if the program ended
        late.cancel()
        if not line:
            raise HushError(f"{command} ended with exit code {process.wait()}; its message is above")
        hush = cls(json.loads(line)["issuer"])
        hush._process = process
        return hush

    def stop(self):
        """Ends the provider that start began."""
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process.stdout.close()

    def call(self, method, path, body=None):
        """Calls any address of the API, such as /console/clock. Returns the JSON of the answer, or None."""
        data = None if body is None else json.dumps(body).encode()
        status, _, text = _send(method, self.issuer + path, data, {"Content-Type": "application/json"})
        if status < 300:
            return json.loads(text) if text else None
        answer = _json(text)
        description = answer.get("error_description", text)
        raise HushError(f"{method} {path}: {description}", answer.get("error", ""), status)

    def put_user(self, username, **user):
        """Adds or replaces a user: put_user("dana", claims={"name": "Dana Diaz"})."""
        return self.call("PUT", f"/console/users/{quote(username, safe='')}", user)

    def put_client(self, client_id, **client):
        """Adds or replaces a client: put_client("my-app", redirect_uris=["http://localhost:5173/callback"])."""
        return self.call("PUT", f"/console/clients/{quote(client_id, safe='')}", client)

    def tokens(self, **want):
        """Makes all tokens: tokens(user="dana", client="spa", scope="openid email", expired=True)."""
        return self.call("POST", "/console/tokens", want)

    def sign_in(self, user, **more):
        """Signs a user in without a page."""
        return Session(self, self.call("POST", "/console/sessions", {"user": user, **more})["cookies"])

    def fail(self, fault, **more):
        """Makes the provider fail on purpose: fail("session_expired", client="spa")."""
        return self.call("POST", "/console/faults", {"fault": fault, **more})

    def clock(self, **move):
        """Moves or freezes the clock: clock(forward="10m"), clock(at="2030-01-01T00:00:00Z", frozen=True)."""
        return self.call("POST", "/console/clock", move)

    def flows(self, **which):
        """The flows that fit, newest first: flows(client="spa", outcome="failed", wait="10s")."""
        return self.call("GET", f"/console/flows?{urlencode(which)}")["flows"]

    def reset(self):
        """Undoes all changes, and ends all sessions and tokens: the next test begins anew."""
        self.call("POST", "/console/reset", {})


class Session:
    """A signed-in browser, by its cookies: a list as Playwright's add_cookies takes it."""

    def __init__(self, hush, cookies):
        self.hush, self.cookies = hush, cookies

    def renew(self, client, redirect_uri, scope="openid"):
        """Does what a hidden iframe does: it asks with prompt=none and PKCE, and exchanges the code for tokens.

        A public client has no secret. The result is the answer of the token endpoint. A HushError has the error code of
        the provider, such as login_required.
        """
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = urlencode({
            "client_id": client, "redirect_uri": redirect_uri, "response_type": "code", "prompt": "none",
            "scope": scope, "code_challenge": challenge, "code_challenge_method": "S256",
        })
        cookie = "; ".join(f"{c['name']}={c['value']}" for c in self.cookies)
        _, headers, _ = _send("GET", f"{self.hush.issuer}/authorize?{query}", headers={"Cookie": cookie})
        answer = {name: values[0] for name, values in parse_qs(urlsplit(headers.get("Location", "")).query).items()}
        if "code" not in answer:
            message = answer.get("error_description", "the authorization endpoint showed a page")
            raise HushError(message, answer.get("error", ""))
        form = {
            "grant_type": "authorization_code", "client_id": client, "redirect_uri": redirect_uri,
            "code": answer["code"], "code_verifier": verifier,
        }
        status, _, text = _send("POST", f"{self.hush.issuer}/token", urlencode(form).encode())
        tokens = _json(text)
        if status != 200:
            raise HushError(tokens.get("error_description", text), tokens.get("error", ""), status)
        return tokens


try:
    import pytest
except ImportError:  # the classes above work without it
    pass
else:

    @pytest.fixture(scope="session")
    def hush_provider():
        """One provider for the whole run. A fixture of the same name in your conftest.py replaces it."""
        provider = Hush.start()
        yield provider
        provider.stop()

    @pytest.fixture
    def hush(hush_provider):
        """The provider, as if it had just started."""
        hush_provider.reset()
        return hush_provider
