-- What a receipt was signed for, so that it can be shown to a city that was set back.
ALTER TABLE receipt ADD COLUMN frontiers BLOB;
