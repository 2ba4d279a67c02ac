-- Balances, receipts, caps, webhooks, and the columns that queries over them need.

ALTER TABLE call ADD COLUMN account   TEXT NOT NULL DEFAULT '';
ALTER TABLE call ADD COLUMN principal TEXT NOT NULL DEFAULT '';   -- (kind, issuer, subject) as JSON
ALTER TABLE call ADD COLUMN reference TEXT;                       -- the provider's, once it has one
ALTER TABLE call ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 0;
UPDATE call SET account    = json_extract(body, '$.quote.account'),
                principal  = json_extract(body, '$.quote.principal'),
                reference  = json_extract(body, '$.payment.reference'),
                expires_at = json_extract(body, '$.quote.expires_at');
-- A provider's reference means one payment.
CREATE UNIQUE INDEX call_reference ON call (account, reference) WHERE reference IS NOT NULL;
CREATE INDEX call_principal_open ON call (principal, expires_at) WHERE state IN ('quoted', 'awaiting');
CREATE INDEX call_principal_latest ON call (principal, created_at);
CREATE INDEX call_attention ON call (updated_at) WHERE state = 'attention';

ALTER TABLE entry ADD COLUMN change INTEGER NOT NULL DEFAULT 0;   -- the call's version: entries of one change sum to zero

CREATE TABLE credit (                         -- balances: what entries of the book 'credit' add up to
    principal TEXT NOT NULL,
    account   TEXT NOT NULL,
    currency  TEXT NOT NULL,
    amount    INTEGER NOT NULL CHECK (amount >= 0),   -- 10^-9 units
    PRIMARY KEY (principal, account, currency)
) STRICT;

CREATE TABLE spent (                          -- what counts against a principal's day
    principal TEXT NOT NULL,
    currency  TEXT NOT NULL,
    day       INTEGER NOT NULL,               -- days since the Unix epoch, UTC
    amount    INTEGER NOT NULL,               -- 10^-9 units
    PRIMARY KEY (principal, currency, day)
) STRICT;

CREATE TABLE receipt_key (
    id         TEXT PRIMARY KEY,
    secret     BLOB NOT NULL,                 -- Ed25519, 32 bytes; the latest one signs
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE chain (                          -- where each host's chain of receipts stands
    id    TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    head  TEXT                                -- digest of the last receipt
) STRICT;

CREATE TABLE receipt (                        -- append-only
    call   TEXT PRIMARY KEY REFERENCES call (id),
    chain  TEXT NOT NULL,
    number INTEGER NOT NULL,
    body   TEXT NOT NULL,                     -- a compact JWS
    UNIQUE (chain, number)
) STRICT;

CREATE TABLE webhook (                        -- webhooks that were dealt with
    account  TEXT NOT NULL,
    event_id TEXT NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (account, event_id)
) STRICT;
CREATE INDEX webhook_age ON webhook (at);

CREATE TABLE secret (
    name       TEXT NOT NULL,
    value      BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX secret_latest ON secret (name, created_at);

ALTER TABLE sandbox_payment ADD COLUMN at INTEGER NOT NULL DEFAULT 0;         -- when it was decided
ALTER TABLE sandbox_refund  ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sandbox_payment_age ON sandbox_payment (at);

CREATE TABLE sandbox_event (                  -- webhooks that the sandbox has still to send
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    reference  TEXT NOT NULL,
    at         INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    due_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX sandbox_event_due ON sandbox_event (due_at);
