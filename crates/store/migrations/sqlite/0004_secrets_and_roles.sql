-- Resources of unknown types were kept with the secrets that were deep in them. What nobody may read again is taken out,
-- one member after the other; of what that leaves of a document the shortest has none.
WITH RECURSIVE
  secret (name) AS (
    VALUES ('%accountkey%'), ('%password%'), ('additionalunattendcontent'), ('clientsecret'), ('connectionstring'),
      ('customdata'), ('protectedparameters'), ('protectedsettings'), ('secrets'), ('securevalue'), ('sharedkey'),
      ('userdata')
  ),
  cleaned (key, document) AS (
    SELECT key, document FROM resource
    UNION
    SELECT key, json_remove(document, (
      SELECT member.fullkey FROM json_tree(document) member JOIN secret ON member.key LIKE secret.name
      WHERE member.type NOT IN ('true', 'false', 'null') LIMIT 1
    )) FROM cleaned
  )
UPDATE resource SET document = shortest.document
FROM (
  SELECT key, document, min(length(document)) FROM cleaned WHERE document IS NOT NULL GROUP BY key
) shortest
WHERE shortest.key = resource.key;
UPDATE resource SET document = json_remove(document, '$.properties.value') WHERE key LIKE '%/secrets/%';

-- When a role was given and by whom. For roles of before: what the audit says, as far back as the feed goes.
ALTER TABLE role_assignment ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE role_assignment ADD COLUMN created_by TEXT REFERENCES service_principal (principal_id);
UPDATE role_assignment SET
  created_at = COALESCE(
    (SELECT min(at) FROM change_feed WHERE noun = 'role_assignment' AND key = id), (SELECT min(at) FROM audit), 0
  ),
  created_by = (
    SELECT principal.principal_id FROM change_feed change JOIN audit ON audit.seq = change.audit
    JOIN service_principal principal ON principal.principal_id = audit.actor
    WHERE change.noun = 'role_assignment' AND change.key = role_assignment.id ORDER BY change.rev LIMIT 1
  );
