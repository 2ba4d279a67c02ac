-- Whose list of tools an open call changes; NULL for calls that change nobody's, and once they are no longer open.

ALTER TABLE call ADD COLUMN viewer TEXT COLLATE "C";
CREATE INDEX call_viewer ON call (viewer) WHERE viewer IS NOT NULL;
