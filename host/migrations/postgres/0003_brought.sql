-- A payment that came with its call, by its reference: it buys one call, whichever account takes it. NULL for every other
-- call.

ALTER TABLE call ADD COLUMN brought TEXT COLLATE "C";
CREATE UNIQUE INDEX call_brought ON call (brought) WHERE brought IS NOT NULL;
