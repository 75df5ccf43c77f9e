-- Which attachments the changes of a stream name: only these are taken in and given out. Written with the log.
CREATE TABLE blob_name (
    stream BLOB NOT NULL,
    blob   BLOB NOT NULL,
    seq    INTEGER NOT NULL REFERENCES change (seq),
    len    INTEGER NOT NULL,
    PRIMARY KEY (stream, blob, seq)
) WITHOUT ROWID;
CREATE INDEX blob_name_seq ON blob_name (seq);
CREATE INDEX blob_name_blob ON blob_name (blob);

-- Attachments of which something is on the disk: `have` of `len` bytes, in the first `stored` bytes of the file.
-- A whole one was held against its name.
CREATE TABLE blob (
    hash   BLOB PRIMARY KEY,
    len    INTEGER NOT NULL,
    have   INTEGER NOT NULL,
    stored INTEGER NOT NULL
) WITHOUT ROWID;

-- Attachments that lost a name: their files are erased if no name is left.
CREATE TABLE blob_unnamed (blob BLOB PRIMARY KEY) WITHOUT ROWID;

-- A redacted payload takes the names in it along, whoever erases it.
CREATE TRIGGER change_erased AFTER UPDATE OF payload ON change WHEN new.payload IS NULL BEGIN
    DELETE FROM blob_name WHERE seq = new.seq;
END;
CREATE TRIGGER blob_name_gone AFTER DELETE ON blob_name BEGIN
    INSERT OR IGNORE INTO blob_unnamed (blob) VALUES (old.blob);
END;

-- What newer laptops named through an older city.
INSERT OR IGNORE INTO blob_name (stream, blob, seq, len)
SELECT c.stream, unhex(json_extract(named.value, '$.blob')), c.seq, json_extract(named.value, '$.len')
FROM change c, json_tree(CASE WHEN instr(CAST(payload AS TEXT), '"blob"') AND json_valid(CAST(payload AS TEXT))
                              THEN CAST(payload AS TEXT) ELSE '[]' END) AS named
WHERE named.type = 'object' AND json_type(named.value, '$.blob') = 'text' AND json_type(named.value, '$.len') = 'integer'
  AND json_extract(named.value, '$.blob') NOT GLOB '*[^0-9a-f]*' AND length(json_extract(named.value, '$.blob')) = 64
  AND json_extract(named.value, '$.len') BETWEEN 1 AND 16777216;
