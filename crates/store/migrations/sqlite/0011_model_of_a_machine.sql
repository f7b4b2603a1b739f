-- A scale set's machine has the document of the model that it was brought to. Those of before have none and were told what
-- the scale set's says, so that is theirs until they are brought to another.
UPDATE virtual_machine SET document = (SELECT document FROM scale_set WHERE scale_set.pk = virtual_machine.scale_set)
WHERE scale_set IS NOT NULL AND document = '{}';
