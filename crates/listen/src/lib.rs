//! The plain-HTTP listener of the data planes: head guard, connection limits, graceful end.
