//! For tests only: whole-app harness, fixtures, fake clock.
