-- The log, and what is computed from it. Older programs must not open a file with a higher number.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

-- Signing identities of this computer; the last one signs.
CREATE TABLE identity (
  seq     INTEGER PRIMARY KEY,
  public  BLOB NOT NULL UNIQUE,
  secret  BLOB NOT NULL,
  made_at INTEGER NOT NULL
);

-- One row per stream that is held. `own` = 1: local writes go there (one row at most). `lamport`: the highest that counts.
CREATE TABLE stream (
  seq      INTEGER PRIMARY KEY,
  id       BLOB NOT NULL UNIQUE,
  own      INTEGER NOT NULL DEFAULT 0,
  root_key BLOB,
  lamport  INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX stream_own ON stream (own) WHERE own = 1;

-- The log. `lamport` is the one that counts for display (see replica).
CREATE TABLE change (
  seq         INTEGER PRIMARY KEY,
  id          BLOB NOT NULL UNIQUE,
  stream      INTEGER NOT NULL REFERENCES stream (seq),
  device      BLOB NOT NULL,
  n           INTEGER NOT NULL,
  prev        BLOB,
  lamport     INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  origin      TEXT,
  header      BLOB NOT NULL,
  signature   BLOB NOT NULL,
  payload     BLOB
);
CREATE INDEX change_chain ON change (stream, device, n);
CREATE INDEX change_origin ON change (stream, origin) WHERE origin IS NOT NULL;

-- Changes that a receipt of the city covers: when it first did, and whether the city still holds them.
CREATE TABLE reported (
  change INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  held   INTEGER NOT NULL
);

-- Changes whose predecessor is not held yet: kept, not folded, not in the frontier.
CREATE TABLE waiting (
  id        BLOB PRIMARY KEY,
  stream    BLOB NOT NULL,
  prev      BLOB NOT NULL,
  header    BLOB NOT NULL,
  signature BLOB NOT NULL,
  payload   BLOB
) WITHOUT ROWID;
CREATE INDEX waiting_prev ON waiting (prev);

-- The ends of each device's chain.
CREATE TABLE frontier (
  stream INTEGER NOT NULL REFERENCES stream (seq),
  device BLOB NOT NULL,
  n      INTEGER NOT NULL,
  id     BLOB NOT NULL,
  PRIMARY KEY (stream, device, n, id)
) WITHOUT ROWID;

-- The same, as the city last answered.
CREATE TABLE city_frontier (
  stream INTEGER NOT NULL REFERENCES stream (seq),
  device BLOB NOT NULL,
  n      INTEGER NOT NULL,
  id     BLOB NOT NULL,
  PRIMARY KEY (stream, device, n, id)
) WITHOUT ROWID;

CREATE TABLE receipt (
  seq  INTEGER PRIMARY KEY,
  at   INTEGER NOT NULL,
  body BLOB NOT NULL
);

-- What lists sort, filter and show of a record. `fold` holds the record itself.
CREATE TABLE record (
  seq       INTEGER PRIMARY KEY,
  stream    INTEGER NOT NULL REFERENCES stream (seq),
  kind      TEXT NOT NULL,
  id        TEXT NOT NULL,
  life      TEXT NOT NULL,
  closing   TEXT NOT NULL,
  title     TEXT NOT NULL,
  title_key TEXT NOT NULL,
  date      TEXT NOT NULL,
  date_end  TEXT NOT NULL,
  list      TEXT NOT NULL,
  conflicts INTEGER NOT NULL,
  late      INTEGER NOT NULL,
  born_at   INTEGER,
  last_at   INTEGER NOT NULL,
  word_hash BLOB
);
CREATE UNIQUE INDEX record_name ON record (stream, kind, id);
CREATE INDEX record_date ON record (stream, kind, date, id, life);
CREATE INDEX record_title ON record (stream, kind, title_key, id, life);
CREATE INDEX record_undecided ON record (stream) WHERE conflicts > 0 OR late > 0;

-- Current records, as replica writes them. Apart from the lists, because a long row is slow to read past.
CREATE TABLE fold (
  record INTEGER PRIMARY KEY,
  state  BLOB NOT NULL
);

-- Which changes a record is folded from.
CREATE TABLE touch (
  record INTEGER NOT NULL,
  change INTEGER NOT NULL,
  PRIMARY KEY (record, change)
) WITHOUT ROWID;
CREATE INDEX touch_change ON touch (change);

-- Choices and persons that a list shows, one row per value, to filter by.
CREATE TABLE facet (
  record INTEGER NOT NULL,
  path   TEXT NOT NULL,
  value  TEXT NOT NULL,
  PRIMARY KEY (record, path, value)
) WITHOUT ROWID;
CREATE INDEX facet_value ON facet (path, value, record);

-- The search box. Row ids are those of `record`; the words are made by the program.
CREATE VIRTUAL TABLE words USING fts5 (names, title, body, content = '', contentless_delete = 1, tokenize = 'ascii');

-- What is being typed. Never in the log.
CREATE TABLE draft (
  kind     TEXT NOT NULL,
  id       TEXT NOT NULL,
  content  TEXT NOT NULL,
  saved_at INTEGER NOT NULL,
  PRIMARY KEY (kind, id)
) WITHOUT ROWID;

-- Fields that are kept on this computer only. Never in the log.
CREATE TABLE device_field (
  kind   TEXT NOT NULL,
  record TEXT NOT NULL,
  path   TEXT NOT NULL,
  value  TEXT NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (kind, record, path)
) WITHOUT ROWID;
