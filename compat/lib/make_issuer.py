"""Makes the key of an issuer elsewhere and its key set: `make_issuer.py KEY KEY_SET`."""

import json
import os
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

KEY_ID = "issuer-key"


def make(key_path: str, set_path: str) -> None:
    """Writes the two files; the key is readable by its owner only."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with open(os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(private)
    public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": KEY_ID, "use": "sig", "alg": "RS256"}
    with open(set_path, "w", encoding="ascii") as file:
        json.dump({"keys": [public]}, file)


if __name__ == "__main__":
    make(sys.argv[1], sys.argv[2])
