-- Whose a receipt is; and, if it covered this computer's whole chain, the number that the chain ended with: what comes
-- after was written after the receipt had arrived.
ALTER TABLE receipt ADD COLUMN device BLOB;
ALTER TABLE receipt ADD COLUMN own_end INTEGER;
CREATE INDEX receipt_own ON receipt (device, at) WHERE own_end IS NOT NULL;
