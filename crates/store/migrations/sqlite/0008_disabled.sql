-- An extension that stays on its machine and does nothing.
ALTER TABLE vm_extension ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1));
