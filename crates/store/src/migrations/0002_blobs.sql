-- Which files the changes of the log name: what is named is kept. And what the records show of them: what is fetched
-- and sent. Older programs must not open the file, because they would not keep these up.
CREATE TABLE blob_name (
  change INTEGER NOT NULL,
  blob   BLOB NOT NULL,
  len    INTEGER NOT NULL,
  PRIMARY KEY (change, blob)
) WITHOUT ROWID;
CREATE INDEX blob_name_blob ON blob_name (blob);

CREATE TABLE record_blob (
  record INTEGER NOT NULL,
  blob   BLOB NOT NULL,
  len    INTEGER NOT NULL,
  PRIMARY KEY (record, blob)
) WITHOUT ROWID;
CREATE INDEX record_blob_blob ON record_blob (blob);

-- Files that the city said, signed, that it holds whole.
CREATE TABLE city_blob (
  blob BLOB PRIMARY KEY
) WITHOUT ROWID;

-- What a newer program named through this one, while it did not know files.
INSERT OR IGNORE INTO blob_name (change, blob, len)
SELECT change.seq, unhex(json_extract(named.value, '$.blob')), json_extract(named.value, '$.len')
FROM change, json_tree(CASE WHEN instr(CAST(payload AS TEXT), '"blob"') AND json_valid(CAST(payload AS TEXT))
                            THEN CAST(payload AS TEXT) ELSE '[]' END) AS named
WHERE named.type = 'object' AND json_type(named.value, '$.blob') = 'text' AND json_type(named.value, '$.len') = 'integer'
  AND json_extract(named.value, '$.blob') NOT GLOB '*[^0-9a-f]*' AND length(json_extract(named.value, '$.blob')) = 64
  AND json_extract(named.value, '$.len') BETWEEN 1 AND 16777216;

INSERT OR IGNORE INTO record_blob (record, blob, len)
SELECT fold.record, unhex(json_extract(named.value, '$.blob')), json_extract(named.value, '$.len')
FROM fold, json_tree(CASE WHEN instr(CAST(state AS TEXT), '"blob"') THEN CAST(state AS TEXT) ELSE '[]' END) AS named
WHERE named.type = 'object' AND json_type(named.value, '$.blob') = 'text' AND json_type(named.value, '$.len') = 'integer'
  AND json_extract(named.value, '$.blob') NOT GLOB '*[^0-9a-f]*' AND length(json_extract(named.value, '$.blob')) = 64
  AND json_extract(named.value, '$.len') BETWEEN 1 AND 16777216;
