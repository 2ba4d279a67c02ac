-- Calls with their payments, what moved, what came of them. Never edited once released: add the next file.

CREATE TABLE ledger (
    id         TEXT PRIMARY KEY,              -- random, names this ledger to other hosts
    created_at INTEGER NOT NULL               -- milliseconds since the Unix epoch, like every time below
) STRICT;

CREATE TABLE call (
    id            TEXT PRIMARY KEY,
    payment_id    TEXT NOT NULL UNIQUE,
    link          TEXT NOT NULL UNIQUE,
    -- At most one open call of a known principal for the same tool, component, arguments, price and account.
    -- NULL for anonymous callers and once the call is no longer open.
    open_key      TEXT UNIQUE,
    state         TEXT NOT NULL,
    payment_state TEXT NOT NULL,
    component     TEXT NOT NULL,
    body          TEXT NOT NULL,              -- the call as JSON
    arguments     TEXT,                       -- canonical JSON, NULL once the call has ended
    run_spec      TEXT,                       -- limits and settings of its run, NULL once the call has ended
    version       INTEGER NOT NULL,           -- counts changes: the compare-and-set
    due_at        INTEGER,                    -- when a host should look at it, NULL when there is nothing to do
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX call_due ON call (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX call_latest ON call (created_at);
CREATE INDEX call_component ON call (component) WHERE due_at IS NOT NULL;

CREATE TABLE outcome (
    call      TEXT PRIMARY KEY REFERENCES call (id),
    body      TEXT NOT NULL,                  -- the outcome as JSON
    stored_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outcome_age ON outcome (stored_at);

CREATE TABLE entry (                          -- append-only; every transaction sums to zero per currency
    id       INTEGER PRIMARY KEY,
    call     TEXT NOT NULL REFERENCES call (id),
    book     TEXT NOT NULL,
    account  TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount   INTEGER NOT NULL,                -- 10^-9 units, debit positive, credit negative
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX entry_call ON entry (call);

CREATE TABLE component (                      -- bytes that open quotes name
    digest  TEXT PRIMARY KEY,
    bytes   BLOB NOT NULL,
    kept_at INTEGER NOT NULL
) STRICT;

CREATE TABLE blocked (
    digest TEXT PRIMARY KEY,
    at     INTEGER NOT NULL
) STRICT;

CREATE TABLE sandbox_payment (                -- the embedded provider's own books: what its payers decided
    reference TEXT PRIMARY KEY,
    state     TEXT NOT NULL,
    amount    INTEGER NOT NULL,               -- 10^-9 units
    currency  TEXT NOT NULL,
    refunded  INTEGER NOT NULL                -- 10^-9 units
) STRICT;

CREATE TABLE sandbox_refund (                 -- one line a refund: its key is never used twice
    key       TEXT PRIMARY KEY,
    reference TEXT NOT NULL REFERENCES sandbox_payment (reference),
    amount    INTEGER NOT NULL
) STRICT;
