//! The control plane: authority endpoints over HTTPS and what applies a seed.
