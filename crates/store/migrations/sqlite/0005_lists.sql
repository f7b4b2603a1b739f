-- Lists of machines leave out those of scale sets without looking at them.
CREATE INDEX virtual_machine_single ON virtual_machine (key) WHERE scale_set IS NULL;

-- Columns of one kind in every part, so that a piece of the list is merged from the parts and not sorted out of them all.
DROP VIEW any_resource;
CREATE VIEW any_resource AS
  SELECT key, id, location, tags, created_at FROM resource
  UNION ALL SELECT key, id, location, tags, created_at FROM virtual_machine WHERE scale_set IS NULL
  UNION ALL SELECT key, id, location, tags, created_at FROM scale_set
  UNION ALL SELECT key, id, location, tags, CAST(NULL AS INTEGER) FROM user_assigned_identity
  UNION ALL SELECT e.key, e.id, e.location, e.tags, CAST(NULL AS INTEGER) FROM vm_extension e
    JOIN virtual_machine v ON v.pk = e.vm WHERE v.scale_set IS NULL;
