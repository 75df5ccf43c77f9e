-- The order in which keys came to sign: the highest signs now. NULL: a spare, certified ahead and not used yet.
-- A key that no longer signs has no secret any more.
ALTER TABLE operating_key ADD COLUMN turn INTEGER;
UPDATE operating_key SET turn = 1;

-- Values that the city may still be given: headers that came without them.
CREATE INDEX change_without_payload ON change (stream, device) WHERE payload IS NULL;

-- When a device was last heard of.
CREATE TABLE seen (device BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;

-- Redactions: one operator asks, another decides. `record` and `path` are empty for a change, `path` for a whole record.
CREATE TABLE redaction (
    id         INTEGER PRIMARY KEY,
    stream     BLOB NOT NULL,
    kind       TEXT NOT NULL,
    record     TEXT NOT NULL,
    path       TEXT NOT NULL,
    change     BLOB,
    reason     TEXT NOT NULL,
    asked_by   TEXT NOT NULL,
    asked_at   INTEGER NOT NULL,
    decided_by TEXT,
    decided_at INTEGER,
    done       INTEGER
);

-- The changes whose values a redaction took.
CREATE TABLE redacted (
    redaction INTEGER NOT NULL REFERENCES redaction (id),
    change    BLOB NOT NULL,
    PRIMARY KEY (redaction, change)
) WITHOUT ROWID;

-- Ends of chains that a laptop showed a receipt for and that are not held (again) yet.
CREATE TABLE promised_end (
    stream BLOB NOT NULL,
    device BLOB NOT NULL,
    n      INTEGER NOT NULL,
    id     BLOB NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (stream, device, n, id)
) WITHOUT ROWID;
