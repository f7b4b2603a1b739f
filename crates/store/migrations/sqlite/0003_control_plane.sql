-- What the control plane keeps beside identities: documents, scale sets, operations, deployments.
-- A `document` is a JSON object as its owner gave it, without what has a column of its own, and never with a secret.

ALTER TABLE resource_group ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';

-- Resources of types that nothing is known about here. They may lie at any scope.
CREATE TABLE resource (
  key        TEXT PRIMARY KEY,
  id         TEXT NOT NULL,
  location   TEXT,
  tags       TEXT NOT NULL,
  document   TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE scale_set (
  pk             INTEGER PRIMARY KEY,
  key            TEXT NOT NULL UNIQUE,
  id             TEXT NOT NULL,
  unique_id      TEXT NOT NULL UNIQUE,
  tenant         TEXT NOT NULL REFERENCES tenant (id),
  name           TEXT NOT NULL,
  location       TEXT NOT NULL,
  tags           TEXT NOT NULL,
  sku_name       TEXT NOT NULL,
  sku_tier       TEXT NOT NULL,
  capacity       INTEGER NOT NULL,
  upgrade_mode   TEXT NOT NULL CHECK (upgrade_mode IN ('Manual', 'Automatic', 'Rolling')),
  document       TEXT NOT NULL,
  model          INTEGER NOT NULL,
  next_instance  INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  resource_group INTEGER NOT NULL REFERENCES resource_group (pk),
  principal_id   TEXT UNIQUE REFERENCES service_principal (principal_id)
) STRICT;
CREATE INDEX scale_set_resource_group ON scale_set (resource_group);
CREATE INDEX scale_set_tenant ON scale_set (tenant);

CREATE TABLE scale_set_identity (
  scale_set INTEGER NOT NULL REFERENCES scale_set (pk),
  position  INTEGER NOT NULL,
  identity  INTEGER NOT NULL REFERENCES user_assigned_identity (pk),
  PRIMARY KEY (scale_set, position)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX scale_set_identity_identity ON scale_set_identity (identity, scale_set);

CREATE TABLE scale_set_extension (
  scale_set                  INTEGER NOT NULL REFERENCES scale_set (pk),
  position                   INTEGER NOT NULL,
  name                       TEXT NOT NULL COLLATE NOCASE,
  publisher                  TEXT NOT NULL,
  extension_type             TEXT NOT NULL,
  type_handler_version       TEXT NOT NULL,
  auto_upgrade_minor_version INTEGER NOT NULL,
  enable_automatic_upgrade   INTEGER,
  force_update_tag           TEXT,
  settings                   TEXT,
  protected_kek_id           TEXT,
  protected_settings         BLOB,
  PRIMARY KEY (scale_set, position),
  UNIQUE (scale_set, name),
  CHECK ((protected_kek_id IS NULL) = (protected_settings IS NULL))
) STRICT, WITHOUT ROWID;

ALTER TABLE virtual_machine ADD COLUMN document   TEXT NOT NULL DEFAULT '{}';
ALTER TABLE virtual_machine ADD COLUMN power      TEXT NOT NULL DEFAULT 'running'
  CHECK (power IN ('running', 'stopped', 'deallocated'));
ALTER TABLE virtual_machine ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE virtual_machine ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
-- A machine of a scale set: which one it is, and which version of the model it has.
ALTER TABLE virtual_machine ADD COLUMN scale_set  INTEGER REFERENCES scale_set (pk);
ALTER TABLE virtual_machine ADD COLUMN instance   INTEGER;
ALTER TABLE virtual_machine ADD COLUMN model      INTEGER;
CREATE UNIQUE INDEX virtual_machine_scale_set ON virtual_machine (scale_set, instance) WHERE scale_set IS NOT NULL;

ALTER TABLE vm_extension ADD COLUMN location                   TEXT NOT NULL DEFAULT '';
ALTER TABLE vm_extension ADD COLUMN tags                       TEXT NOT NULL DEFAULT '{}';
ALTER TABLE vm_extension ADD COLUMN auto_upgrade_minor_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE vm_extension ADD COLUMN enable_automatic_upgrade   INTEGER;
ALTER TABLE vm_extension ADD COLUMN force_update_tag           TEXT;
ALTER TABLE vm_extension ADD COLUMN protected_kek_id           TEXT;
ALTER TABLE vm_extension ADD COLUMN protected_settings         BLOB;
-- Settings may be absent; the column of the first format can't be, so absent ones are the empty text.
ALTER TABLE vm_extension ADD COLUMN sequence                   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vm_extension ADD COLUMN state                      TEXT NOT NULL DEFAULT 'Succeeded'
  CHECK (state IN ('Creating', 'Updating', 'Succeeded', 'Failed', 'Deleting'));
-- What the handler said last.
ALTER TABLE vm_extension ADD COLUMN status_sequence            INTEGER;
ALTER TABLE vm_extension ADD COLUMN status_outcome             TEXT
  CHECK (status_outcome IN ('transitioning', 'success', 'error', 'terminal'));
ALTER TABLE vm_extension ADD COLUMN status_code                INTEGER;
ALTER TABLE vm_extension ADD COLUMN status_version             TEXT;
ALTER TABLE vm_extension ADD COLUMN status_message             TEXT;
ALTER TABLE vm_extension ADD COLUMN status_at                  INTEGER;

CREATE TABLE operation (
  id            TEXT PRIMARY KEY,
  action        TEXT NOT NULL,
  subject_key   TEXT NOT NULL,
  subject       TEXT NOT NULL,
  caller        TEXT NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('in_progress', 'succeeded', 'failed')),
  error_code    TEXT,
  error_message TEXT,
  started_at    INTEGER NOT NULL,
  ended_at      INTEGER,
  CHECK ((state = 'failed') = (error_code IS NOT NULL AND error_message IS NOT NULL)),
  CHECK ((state = 'in_progress') = (ended_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX operation_under_way ON operation (started_at) WHERE ended_at IS NULL;
CREATE INDEX operation_ended ON operation (ended_at) WHERE ended_at IS NOT NULL;

-- What an operation waits for: an extension or a machine that must have come to a number.
CREATE TABLE operation_wait (
  on_key    TEXT NOT NULL,
  number    INTEGER NOT NULL,
  operation TEXT NOT NULL REFERENCES operation (id),
  PRIMARY KEY (on_key, number, operation)
) STRICT, WITHOUT ROWID;
CREATE INDEX operation_wait_operation ON operation_wait (operation);

CREATE TABLE deployment (
  key             TEXT PRIMARY KEY,
  id              TEXT NOT NULL,
  state           TEXT NOT NULL CHECK (state IN ('Accepted', 'Running', 'Succeeded', 'Failed', 'Canceled')),
  document        TEXT NOT NULL,
  request_kek_id  TEXT,
  request         BLOB,
  caller          TEXT NOT NULL,
  operation       TEXT NOT NULL REFERENCES operation (id),
  started_at      INTEGER NOT NULL,
  CHECK ((request_kek_id IS NULL) = (request IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX deployment_under_way ON deployment (started_at) WHERE state IN ('Accepted', 'Running');

CREATE TABLE deployment_operation (
  deployment TEXT NOT NULL REFERENCES deployment (key),
  number     INTEGER NOT NULL,
  target     TEXT NOT NULL,
  document   TEXT NOT NULL,
  operation  TEXT,
  ended      INTEGER NOT NULL,
  PRIMARY KEY (deployment, number)
) STRICT, WITHOUT ROWID;

-- Every resource that lists of all types show.
CREATE VIEW any_resource AS
  SELECT key, id, location, tags, created_at FROM resource
  UNION ALL SELECT key, id, location, tags, created_at FROM virtual_machine WHERE scale_set IS NULL
  UNION ALL SELECT key, id, location, tags, created_at FROM scale_set
  UNION ALL SELECT key, id, location, tags, NULL FROM user_assigned_identity
  UNION ALL SELECT e.key, e.id, e.location, e.tags, NULL FROM vm_extension e
    JOIN virtual_machine v ON v.pk = e.vm WHERE v.scale_set IS NULL;
