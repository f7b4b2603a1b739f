//! Gets a token and keeps it fresh: cache, one flight, refresh-ahead, sources.
