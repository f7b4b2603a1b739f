-- What the agent of a VM was told last: the number of the change, a digest of what is wanted, and what is sealed for it.
CREATE TABLE goal_state (
  vm          INTEGER PRIMARY KEY REFERENCES virtual_machine (pk),
  incarnation INTEGER NOT NULL,
  changed_at  INTEGER NOT NULL,
  wanted      BLOB NOT NULL,
  certificate BLOB,
  kek_id      TEXT,
  private_key BLOB,
  settings    TEXT,
  renew_at    INTEGER,
  CHECK ((certificate IS NULL) = (private_key IS NULL)),
  CHECK ((certificate IS NULL) = (kek_id IS NULL)),
  CHECK ((certificate IS NULL) = (settings IS NULL))
) STRICT;
