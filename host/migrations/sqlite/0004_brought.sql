-- A payment that came with its call, by its reference: it buys one call, whichever account takes it. NULL for every other
-- call.

ALTER TABLE call ADD COLUMN brought TEXT;
CREATE UNIQUE INDEX call_brought ON call (brought) WHERE brought IS NOT NULL;

-- What its payer calls the purchase, with who that is; NULL where it has no name, and once it is known to have taken nothing.
ALTER TABLE call ADD COLUMN named TEXT;
CREATE UNIQUE INDEX call_named ON call (named) WHERE named IS NOT NULL;
