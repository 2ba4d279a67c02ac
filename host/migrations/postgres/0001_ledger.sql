-- Calls with their payments, what moved, what came of them. Never edited once released: add the next file.
--
-- Texts compare byte by byte (COLLATE "C"): an index must not depend on the system's language, nor break when its
-- library is replaced under the database.

CREATE TABLE ledger (
    id         TEXT   COLLATE "C" PRIMARY KEY,   -- random, names this ledger to other hosts
    created_at BIGINT NOT NULL,                  -- milliseconds since the Unix epoch, like every time below
    schema     INTEGER NOT NULL                  -- how many of these files were applied
);

CREATE TABLE call (
    id            TEXT   COLLATE "C" PRIMARY KEY,
    n             BIGINT GENERATED ALWAYS AS IDENTITY,     -- the order in which calls were recorded
    payment_id    TEXT   COLLATE "C" NOT NULL CONSTRAINT call_payment UNIQUE,
    link          TEXT   COLLATE "C" NOT NULL CONSTRAINT call_link UNIQUE,
    -- At most one open call of a known principal for the same tool, component, arguments, price and account.
    -- NULL for anonymous callers and once the call is no longer open.
    open_key      TEXT   COLLATE "C" CONSTRAINT call_open UNIQUE,
    state         TEXT   COLLATE "C" NOT NULL,
    payment_state TEXT   COLLATE "C" NOT NULL,
    component     TEXT   COLLATE "C" NOT NULL,
    account       TEXT   COLLATE "C" NOT NULL,
    principal     TEXT   COLLATE "C" NOT NULL,             -- (kind, issuer, subject) as JSON
    reference     TEXT   COLLATE "C",                      -- the provider's, once it has one
    body          TEXT   COLLATE "C" NOT NULL,             -- the call as JSON
    arguments     TEXT   COLLATE "C",                      -- canonical JSON, NULL once the call has ended
    run_spec      TEXT   COLLATE "C",                      -- limits and settings of its run, NULL once it has ended
    version       BIGINT NOT NULL,                         -- counts changes: the compare-and-set
    due_at        BIGINT,                                  -- when a host should look at it, NULL when there is nothing to do
    expires_at    BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE INDEX call_due ON call (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX call_latest ON call (created_at DESC, n DESC);
CREATE INDEX call_component ON call (component) WHERE due_at IS NOT NULL;
-- A provider's reference means one payment.
CREATE UNIQUE INDEX call_reference ON call (account, reference) WHERE reference IS NOT NULL;
CREATE INDEX call_principal_open ON call (principal, expires_at) WHERE state IN ('quoted', 'awaiting');
CREATE INDEX call_principal_latest ON call (principal, created_at);
CREATE INDEX call_attention ON call (updated_at) WHERE state = 'attention';

CREATE TABLE outcome (
    call      TEXT   COLLATE "C" PRIMARY KEY REFERENCES call (id),
    body      TEXT   COLLATE "C" NOT NULL,       -- the outcome as JSON
    stored_at BIGINT NOT NULL
);
CREATE INDEX outcome_age ON outcome (stored_at);

CREATE TABLE entry (                             -- append-only; entries of one change sum to zero per currency
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call     TEXT   COLLATE "C" NOT NULL REFERENCES call (id),
    change   BIGINT NOT NULL,                    -- the call's version
    book     TEXT   COLLATE "C" NOT NULL,
    account  TEXT   COLLATE "C" NOT NULL,
    currency TEXT   COLLATE "C" NOT NULL,
    amount   BIGINT NOT NULL,                    -- 10^-9 units, debit positive, credit negative
    at       BIGINT NOT NULL
);
CREATE INDEX entry_call ON entry (call);

CREATE TABLE credit (                            -- balances: what entries of the book 'credit' add up to; rows stay
    principal TEXT   COLLATE "C" NOT NULL,
    account   TEXT   COLLATE "C" NOT NULL,
    currency  TEXT   COLLATE "C" NOT NULL,
    amount    BIGINT NOT NULL CONSTRAINT credit_amount CHECK (amount >= 0),   -- 10^-9 units
    PRIMARY KEY (principal, account, currency)
);

CREATE TABLE spent (                             -- what counts against a principal's day
    principal TEXT   COLLATE "C" NOT NULL,
    currency  TEXT   COLLATE "C" NOT NULL,
    day       BIGINT NOT NULL,                   -- days since the Unix epoch, UTC
    slot      BIGINT NOT NULL,                   -- by the call: one caller's calls do not all wait for one row
    amount    BIGINT NOT NULL,                   -- 10^-9 units
    PRIMARY KEY (principal, currency, day, slot)
);
CREATE INDEX spent_age ON spent (day);

CREATE TABLE component (                         -- what open quotes name
    digest  TEXT   COLLATE "C" PRIMARY KEY,
    kept_at BIGINT NOT NULL                      -- when a host last said that it serves it
);
CREATE INDEX component_age ON component (kept_at);

CREATE TABLE component_bytes (                   -- apart, so that renewing an age does not rewrite megabytes
    digest TEXT  COLLATE "C" PRIMARY KEY REFERENCES component (digest) ON DELETE CASCADE,
    bytes  BYTEA NOT NULL
);
-- Code is compressed badly, and is read whole.
ALTER TABLE component_bytes ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE blocked (
    digest TEXT   COLLATE "C" PRIMARY KEY,
    at     BIGINT NOT NULL
);

CREATE TABLE receipt_key (
    n          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,   -- the latest one signs
    id         TEXT   COLLATE "C" NOT NULL UNIQUE,
    secret     BYTEA  NOT NULL CHECK (length(secret) = 32),       -- Ed25519
    created_at BIGINT NOT NULL
);

CREATE TABLE chain (                             -- where each chain of receipts stands
    id    TEXT   COLLATE "C" PRIMARY KEY,
    count BIGINT NOT NULL,
    head  TEXT   COLLATE "C"                     -- digest of the last receipt
);

CREATE TABLE receipt (                           -- append-only
    call   TEXT   COLLATE "C" PRIMARY KEY REFERENCES call (id),
    chain  TEXT   COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    body   TEXT   COLLATE "C" NOT NULL,          -- a compact JWS
    UNIQUE (chain, number)
);

CREATE TABLE webhook (                           -- webhooks that were dealt with
    account  TEXT   COLLATE "C" NOT NULL,
    event_id TEXT   COLLATE "C" NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (account, event_id)
);
CREATE INDEX webhook_age ON webhook (at);

CREATE TABLE secret (
    n          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       TEXT   COLLATE "C" NOT NULL,
    value      BYTEA  NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX secret_latest ON secret (name, n DESC);

CREATE TABLE sandbox_payment (                   -- the embedded provider's own books: what its payers decided
    reference TEXT   COLLATE "C" PRIMARY KEY,
    state     TEXT   COLLATE "C" NOT NULL,
    amount    BIGINT NOT NULL,                   -- 10^-9 units
    currency  TEXT   COLLATE "C" NOT NULL,
    refunded  BIGINT NOT NULL,                   -- 10^-9 units
    at        BIGINT NOT NULL                    -- when it was decided
);
CREATE INDEX sandbox_payment_age ON sandbox_payment (at);

CREATE TABLE sandbox_refund (                    -- one line a refund: its key is never used twice
    key       TEXT   COLLATE "C" CONSTRAINT sandbox_refund_key PRIMARY KEY,
    reference TEXT   COLLATE "C" NOT NULL REFERENCES sandbox_payment (reference),
    amount    BIGINT NOT NULL,
    at        BIGINT NOT NULL
);

CREATE TABLE sandbox_event (                     -- webhooks that the sandbox has still to send
    id         TEXT    COLLATE "C" PRIMARY KEY,
    account    TEXT    COLLATE "C" NOT NULL,
    kind       TEXT    COLLATE "C" NOT NULL,
    reference  TEXT    COLLATE "C" NOT NULL,
    at         BIGINT  NOT NULL,
    attempts   INTEGER NOT NULL,
    due_at     BIGINT  NOT NULL
);
CREATE INDEX sandbox_event_due ON sandbox_event (due_at);
