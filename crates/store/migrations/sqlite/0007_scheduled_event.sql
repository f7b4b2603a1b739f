-- What is going to happen to a virtual machine, and how often that has changed.
CREATE TABLE scheduled_event (
  id          TEXT PRIMARY KEY,
  vm          INTEGER NOT NULL REFERENCES virtual_machine (pk),
  kind        TEXT NOT NULL CHECK (kind IN ('Freeze', 'Reboot', 'Redeploy', 'Preempt', 'Terminate')),
  not_before  INTEGER NOT NULL,
  started_at  INTEGER,
  description TEXT NOT NULL,
  by_user     INTEGER NOT NULL CHECK (by_user IN (0, 1)),
  duration    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX scheduled_event_vm ON scheduled_event (vm, not_before);

ALTER TABLE virtual_machine ADD COLUMN event_incarnation INTEGER NOT NULL DEFAULT 0;
