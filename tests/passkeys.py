"""A device that holds passkeys, in software: it does what a browser and its authenticator do."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from django.urls import reverse
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

from tests.cast import PASSWORD

# WebAuthn wants a name, and HTTPS but for this one.
HOST = "localhost"
FLAG = AuthenticatorData.FLAG


def new_client() -> Client:
    return Client(SERVER_NAME=HOST)


class Device:
    """One passkey. `verifies`: it asks for a fingerprint, a face or a PIN."""

    def __init__(self, *, verifies: bool = True) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._id = secrets.token_bytes(16)
        self._flags = FLAG.UP | FLAG.UV if verifies else FLAG.UP
        self._user = ""

    def register(self, client: Client, name: str = "Phone", *, alone: bool = True) -> Any:
        """Add it as the person who is logged in; return what comes after."""
        page = reverse("mfa_add_webauthn")
        proof = {"password": PASSWORD, "next": page}
        client.post(reverse("account_reauthenticate"), proof)
        options = client.get(page).context["js_data"]["creation_options"]["publicKey"]
        form = {"name": name, "credential": json.dumps(self._create(options))}
        return client.post(page, form | ({"passwordless": "on"} if alone else {}), follow=True)

    def log_in(self, client: Client, **form: str) -> Any:
        """Log in with it alone, as the button on the log-in page does."""
        page = reverse("mfa_login_webauthn")
        options = client.get(page, headers={"Accept": "application/json"}).json()
        answer = self._get(options["request_options"]["publicKey"])
        return client.post(page, form | {"credential": json.dumps(answer)}, follow=True)

    def authenticate(self, client: Client, page: str = "mfa_authenticate", **form: str) -> Any:
        """Show it after the password, or where it is asked for again."""
        url = reverse(page)
        options = client.get(url).context["js_data"]["request_options"]["publicKey"]
        answer = json.dumps(self._get(options))
        return client.post(url, form | {"credential": answer}, follow=True)

    def _create(self, options: dict[str, Any]) -> dict[str, Any]:
        self._user = options["user"]["id"]
        public_key = ES256.from_cryptography_key(self._key.public_key())
        credential = AttestedCredentialData.create(bytes(16), self._id, public_key)
        data = AuthenticatorData.create(_rp_hash(), self._flags | FLAG.AT, 0, credential)
        response = {
            "clientDataJSON": _client_data("webauthn.create", options["challenge"]),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        }
        resident = {"credProps": {"rk": True}}
        return self._credential(response) | {"clientExtensionResults": resident}

    def _get(self, options: dict[str, Any]) -> dict[str, Any]:
        client_data = _client_data("webauthn.get", options["challenge"])
        data = AuthenticatorData.create(_rp_hash(), self._flags, 1)
        signed = data + hashlib.sha256(websafe_decode(client_data)).digest()
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(self._key.sign(signed, ec.ECDSA(hashes.SHA256()))),
            "userHandle": self._user,
        }
        return self._credential(response) | {"clientExtensionResults": {}}

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        key = websafe_encode(self._id)
        return {"type": "public-key", "id": key, "rawId": key, "response": response}


def _rp_hash() -> bytes:
    return hashlib.sha256(HOST.encode()).digest()


def _client_data(kind: str, challenge: str) -> str:
    facts = {"type": kind, "challenge": challenge, "origin": f"http://{HOST}"}
    return websafe_encode(json.dumps(facts).encode())
