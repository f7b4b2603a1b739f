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
