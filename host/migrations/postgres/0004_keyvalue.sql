-- What plugins keep from call to call, by the plugin's name. Apart from everything else: no call is read or written with it.

CREATE TABLE keyvalue_plugin (
    plugin TEXT   COLLATE "C" PRIMARY KEY,
    bytes  BIGINT NOT NULL CHECK (bytes >= 0)                     -- of all its keys and values
);

CREATE TABLE keyvalue (
    n      BIGINT GENERATED ALWAYS AS IDENTITY,                   -- the order of pages
    plugin TEXT   COLLATE "C" NOT NULL REFERENCES keyvalue_plugin (plugin),
    key    TEXT   COLLATE "C" NOT NULL,
    value  BYTEA  NOT NULL,
    PRIMARY KEY (plugin, key)
);
CREATE UNIQUE INDEX keyvalue_page ON keyvalue (plugin, n);
