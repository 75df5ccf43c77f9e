CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE organisation (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    kind     TEXT NOT NULL,
    parent   TEXT REFERENCES organisation (id),
    founded  TEXT NOT NULL,
    lines    TEXT NOT NULL,
    position INTEGER NOT NULL,
    stream   BLOB UNIQUE
) WITHOUT ROWID;

CREATE TABLE operating_key (
    device      BLOB PRIMARY KEY,
    secret      BLOB NOT NULL,
    starts      INTEGER NOT NULL,
    ends        INTEGER NOT NULL,
    certificate TEXT NOT NULL
) WITHOUT ROWID;

-- Everything that was accepted, byte for byte. Rows are only added; a dropped payload becomes NULL.
CREATE TABLE change (
    seq         INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE,
    stream      BLOB NOT NULL,
    device      BLOB NOT NULL,
    n           INTEGER NOT NULL,
    lamport     INTEGER NOT NULL, -- as shown: a jump in the header is not believed
    header      BLOB NOT NULL,
    signature   BLOB NOT NULL,
    payload     BLOB,
    received_at INTEGER NOT NULL
);
CREATE INDEX change_chain ON change (stream, device, n);

-- Which changes a record is a fold of.
CREATE TABLE touch (
    stream BLOB NOT NULL,
    kind   TEXT NOT NULL,
    record TEXT NOT NULL,
    seq    INTEGER NOT NULL REFERENCES change (seq),
    PRIMARY KEY (stream, kind, record, seq)
) WITHOUT ROWID;

-- The ends of every device's chain: the frontier.
CREATE TABLE chain_end (
    stream  BLOB NOT NULL,
    device  BLOB NOT NULL,
    n       INTEGER NOT NULL,
    id      BLOB NOT NULL,
    lamport INTEGER NOT NULL,
    PRIMARY KEY (stream, device, n, id)
) WITHOUT ROWID;

-- The fold of every record as canonical JSON, which SQLite can query; written with the changes it came from.
-- The long column is the last, so that looking at the others does not read it.
CREATE TABLE record (
    seq         INTEGER PRIMARY KEY,
    stream      BLOB NOT NULL,
    kind        TEXT NOT NULL,
    id          TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    state       TEXT NOT NULL,
    UNIQUE (stream, kind, id)
);

CREATE TABLE stream (
    id      BLOB PRIMARY KEY,
    founder BLOB NOT NULL
) WITHOUT ROWID;

-- Who may sign changes of a stream, and so read it: derived from its `~stream` record.
CREATE TABLE signer (
    stream  BLOB NOT NULL,
    device  BLOB NOT NULL,
    revoked INTEGER NOT NULL,
    PRIMARY KEY (stream, device)
) WITHOUT ROWID;
CREATE INDEX signer_device ON signer (device);

-- Changes that wait for something they refer to before the city judges them.
CREATE TABLE unjudged (id BLOB PRIMARY KEY, stream BLOB NOT NULL) WITHOUT ROWID;

-- What a month of a branch holds, kept with every accepted change.
CREATE TABLE tally (
    stream     BLOB NOT NULL,
    period     TEXT NOT NULL,
    obligation TEXT NOT NULL,
    met        INTEGER NOT NULL,
    PRIMARY KEY (stream, period, obligation)
) WITHOUT ROWID;

CREATE TABLE receipt (
    nonce  BLOB PRIMARY KEY,
    device BLOB NOT NULL,
    at     INTEGER NOT NULL,
    bytes  BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE nonce (nonce BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX nonce_at ON nonce (at);

CREATE TABLE enrol_code (
    place        TEXT PRIMARY KEY,
    key          BLOB NOT NULL,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    made_at      INTEGER NOT NULL,
    ends_at      INTEGER NOT NULL,
    used_at      INTEGER,
    device       BLOB,
    answer       TEXT
) WITHOUT ROWID;

CREATE TABLE attempt (what TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX attempt_what ON attempt (what, at);

CREATE TABLE account (name TEXT PRIMARY KEY, password TEXT NOT NULL, made_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE session (token BLOB PRIMARY KEY, account TEXT NOT NULL, ends_at INTEGER NOT NULL) WITHOUT ROWID;

-- Each row's hash covers the row before it.
CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    who     TEXT NOT NULL,
    what    TEXT NOT NULL,
    subject TEXT NOT NULL,
    hash    BLOB NOT NULL
);
