//! Signing keys, rotation, minting and verifying of tokens, client assertions, JWKS.
