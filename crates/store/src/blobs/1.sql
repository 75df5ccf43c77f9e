-- Files by their BLAKE3, in pieces in order. `have` bytes are here; a whole one (`have` = `len`) was verified when its
-- last piece came. `broken`: its pieces cannot be read or removed; the name is free for another copy.
CREATE TABLE blob (
  seq    INTEGER PRIMARY KEY,
  hash   BLOB NOT NULL,
  len    INTEGER NOT NULL,
  have   INTEGER NOT NULL,
  broken INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX blob_hash ON blob (hash) WHERE broken = 0;

CREATE TABLE chunk (
  blob  INTEGER NOT NULL REFERENCES blob (seq) ON DELETE CASCADE,
  at    INTEGER NOT NULL,
  bytes BLOB NOT NULL
);
CREATE UNIQUE INDEX chunk_at ON chunk (blob, at);
