-- Who asked a machine's endpoints for tokens, by day.
CREATE TABLE caller (
  vm       INTEGER NOT NULL REFERENCES virtual_machine (pk),
  endpoint TEXT NOT NULL CHECK (endpoint IN ('extension', 'imds')),
  day      INTEGER NOT NULL,
  -- Absent ones are the empty text, and a user that isn't known is -1.
  identity TEXT NOT NULL,
  client   TEXT NOT NULL,
  process  TEXT NOT NULL,
  uid      INTEGER NOT NULL,
  calls    INTEGER NOT NULL,
  last_at  INTEGER NOT NULL,
  PRIMARY KEY (vm, endpoint, day, identity, client, process, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX caller_day ON caller (day);

-- How far the way of a machine from the extension to the metadata service is.
CREATE TABLE cutover (
  vm         INTEGER PRIMARY KEY REFERENCES virtual_machine (pk),
  wanted     TEXT NOT NULL CHECK (wanted IN ('serving', 'forwarding', 'revoked', 'closed')),
  since      INTEGER NOT NULL,
  reached    TEXT NOT NULL CHECK (reached IN ('serving', 'forwarding', 'revoked', 'closed')),
  reached_at INTEGER NOT NULL,
  failed     TEXT
) STRICT;
