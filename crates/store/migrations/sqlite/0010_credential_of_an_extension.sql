-- The extension that alone holds it; none when every one of the machine's does.
ALTER TABLE certificate_credential ADD COLUMN extension TEXT;
