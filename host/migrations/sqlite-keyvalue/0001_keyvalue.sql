-- What plugins keep from call to call, by the plugin's name: a file of its own beside the ledger's.

CREATE TABLE plugin (
    name  TEXT    PRIMARY KEY,
    bytes INTEGER NOT NULL CHECK (bytes >= 0)                     -- of all its keys and values
) STRICT;

CREATE TABLE keyvalue (
    n      INTEGER PRIMARY KEY AUTOINCREMENT,                     -- the order of pages
    plugin TEXT    NOT NULL REFERENCES plugin (name),
    key    TEXT    NOT NULL,
    value  BLOB    NOT NULL,
    UNIQUE (plugin, key)
) STRICT;
CREATE INDEX keyvalue_page ON keyvalue (plugin, n);
