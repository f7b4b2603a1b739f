-- Resource ids are kept twice: `id` as it was first given, `key` in ASCII lower case, which is what they compare by.
-- GUIDs are lower-case hyphenated text, times are Unix seconds.

-- The one row of facts about the installation.
CREATE TABLE installation (
  one          INTEGER PRIMARY KEY CHECK (one = 1),
  installation TEXT NOT NULL,
  epoch        TEXT NOT NULL,
  -- Changes up to this revision have been pruned.
  feed_floor   INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tenant (
  id   TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE
) STRICT, WITHOUT ROWID;

CREATE TABLE subscription (
  id     TEXT PRIMARY KEY,
  name   TEXT NOT NULL UNIQUE COLLATE NOCASE,
  tenant TEXT NOT NULL REFERENCES tenant (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscription_tenant ON subscription (tenant);

CREATE TABLE resource_group (
  pk           INTEGER PRIMARY KEY,
  key          TEXT NOT NULL UNIQUE,
  id           TEXT NOT NULL,
  name         TEXT NOT NULL,
  location     TEXT NOT NULL,
  subscription TEXT NOT NULL REFERENCES subscription (id)
) STRICT;
CREATE INDEX resource_group_subscription ON resource_group (subscription, key);

-- Never deleted from: a deleted principal stays, so that its ids stay taken.
CREATE TABLE service_principal (
  principal_id TEXT PRIMARY KEY,
  client_id    TEXT NOT NULL UNIQUE,
  tenant       TEXT NOT NULL REFERENCES tenant (id),
  kind         TEXT NOT NULL CHECK (kind IN ('system_assigned', 'user_assigned', 'application')),
  owner        TEXT CHECK ((owner IS NULL) = (kind = 'application')),
  deleted_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX service_principal_tenant ON service_principal (tenant, principal_id);

CREATE TABLE user_assigned_identity (
  pk             INTEGER PRIMARY KEY,
  key            TEXT NOT NULL UNIQUE,
  id             TEXT NOT NULL,
  name           TEXT NOT NULL,
  location       TEXT NOT NULL,
  tags           TEXT NOT NULL,
  resource_group INTEGER NOT NULL REFERENCES resource_group (pk),
  principal_id   TEXT NOT NULL UNIQUE REFERENCES service_principal (principal_id)
) STRICT;
CREATE INDEX user_assigned_identity_resource_group ON user_assigned_identity (resource_group);

CREATE TABLE virtual_machine (
  pk             INTEGER PRIMARY KEY,
  key            TEXT NOT NULL UNIQUE,
  id             TEXT NOT NULL,
  vm_id          TEXT NOT NULL UNIQUE,
  tenant         TEXT NOT NULL REFERENCES tenant (id),
  name           TEXT NOT NULL,
  location       TEXT NOT NULL,
  size           TEXT NOT NULL,
  tags           TEXT NOT NULL,
  resource_group INTEGER NOT NULL REFERENCES resource_group (pk),
  principal_id   TEXT UNIQUE REFERENCES service_principal (principal_id),
  listen         TEXT UNIQUE
) STRICT;
CREATE INDEX virtual_machine_resource_group ON virtual_machine (resource_group);
CREATE INDEX virtual_machine_tenant ON virtual_machine (tenant);

-- The vmIds of machines that are no more: a new machine may not have one of them.
CREATE TABLE retired_vm_id (
  vm_id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE vm_identity (
  vm       INTEGER NOT NULL REFERENCES virtual_machine (pk),
  position INTEGER NOT NULL,
  identity INTEGER NOT NULL REFERENCES user_assigned_identity (pk),
  PRIMARY KEY (vm, position)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX vm_identity_identity ON vm_identity (identity, vm);

CREATE TABLE vm_extension (
  pk                   INTEGER PRIMARY KEY,
  key                  TEXT NOT NULL UNIQUE,
  id                   TEXT NOT NULL,
  vm                   INTEGER NOT NULL REFERENCES virtual_machine (pk),
  name                 TEXT NOT NULL,
  publisher            TEXT NOT NULL,
  extension_type       TEXT NOT NULL,
  type_handler_version TEXT NOT NULL,
  settings             TEXT NOT NULL
) STRICT;
CREATE INDEX vm_extension_vm ON vm_extension (vm, key);

CREATE TABLE application (
  client_id    TEXT PRIMARY KEY,
  principal_id TEXT NOT NULL UNIQUE REFERENCES service_principal (principal_id),
  tenant       TEXT NOT NULL REFERENCES tenant (id),
  name         TEXT NOT NULL COLLATE NOCASE,
  UNIQUE (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE client_secret (
  id           TEXT PRIMARY KEY,
  principal_id TEXT NOT NULL REFERENCES service_principal (principal_id),
  salt         BLOB NOT NULL,
  tag          BLOB NOT NULL,
  hint         TEXT NOT NULL,
  expires_on   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX client_secret_principal ON client_secret (principal_id, id);

CREATE TABLE federated_credential (
  principal_id TEXT NOT NULL REFERENCES service_principal (principal_id),
  name         TEXT NOT NULL,
  issuer       TEXT NOT NULL,
  subject      TEXT NOT NULL,
  audience     TEXT NOT NULL,
  PRIMARY KEY (principal_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE certificate_credential (
  thumbprint_sha256 BLOB PRIMARY KEY CHECK (length(thumbprint_sha256) = 32),
  thumbprint_sha1   BLOB NOT NULL CHECK (length(thumbprint_sha1) = 20),
  principal_id      TEXT NOT NULL REFERENCES service_principal (principal_id),
  vm                TEXT,
  vm_key            TEXT,
  certificate_der   BLOB NOT NULL,
  not_before        INTEGER NOT NULL,
  not_after         INTEGER NOT NULL,
  revoked_at        INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_credential_principal ON certificate_credential (principal_id);
CREATE INDEX certificate_credential_vm ON certificate_credential (vm_key) WHERE vm_key IS NOT NULL;

CREATE TABLE role_assignment (
  id           TEXT PRIMARY KEY,
  principal_id TEXT NOT NULL REFERENCES service_principal (principal_id),
  role         TEXT NOT NULL,
  scope        TEXT NOT NULL,
  scope_key    TEXT NOT NULL,
  UNIQUE (principal_id, role, scope_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX role_assignment_scope ON role_assignment (scope_key);

CREATE TABLE external_issuer (
  url    TEXT PRIMARY KEY,
  source TEXT NOT NULL CHECK (source IN ('inline', 'file', 'url')),
  jwks   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_key (
  kid             TEXT PRIMARY KEY,
  issuer          TEXT NOT NULL,
  purpose         TEXT NOT NULL,
  version         INTEGER NOT NULL,
  state           TEXT NOT NULL CHECK (state IN ('next', 'active', 'retiring', 'gone')),
  certificate_der BLOB NOT NULL,
  wrapped         BLOB NOT NULL,
  kek_id          TEXT NOT NULL,
  published_at    INTEGER NOT NULL,
  activated_at    INTEGER,
  retired_at      INTEGER,
  revoked_at      INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  seq    INTEGER PRIMARY KEY AUTOINCREMENT,
  at     INTEGER NOT NULL,
  actor  TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL
) STRICT;

CREATE TABLE change_feed (
  rev   INTEGER PRIMARY KEY AUTOINCREMENT,
  audit INTEGER NOT NULL REFERENCES audit (seq),
  at    INTEGER NOT NULL,
  noun  TEXT NOT NULL,
  key   TEXT NOT NULL,
  op    TEXT NOT NULL CHECK (op IN ('put', 'removed'))
) STRICT;
CREATE INDEX change_feed_at ON change_feed (at);
