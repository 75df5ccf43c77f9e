-- Files that came on USB sticks: what each did, the answer to give back once more if a stick is lost, and the file
-- itself while something in it waits for what came before. The long columns are the last.
CREATE TABLE usb_file (
    seq     INTEGER PRIMARY KEY,
    device  BLOB NOT NULL,
    nonce   BLOB NOT NULL,
    at      INTEGER NOT NULL,
    report  TEXT NOT NULL,
    name    TEXT NOT NULL,
    missing BLOB NOT NULL, -- ids of the changes that `waits` waits for
    answer  BLOB NOT NULL,
    waits   BLOB,
    UNIQUE (device, nonce)
);
CREATE INDEX usb_file_at ON usb_file (at);
CREATE INDEX usb_file_waits ON usb_file (seq) WHERE waits IS NOT NULL;
