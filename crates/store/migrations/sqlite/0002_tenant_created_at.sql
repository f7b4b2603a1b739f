-- When a tenant was created, which tokens say of it (`xms_tcdt`). For tenants of before: the first act of all.
ALTER TABLE tenant ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
UPDATE tenant SET created_at = COALESCE((SELECT MIN(at) FROM audit), 0);
