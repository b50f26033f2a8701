-- +goose Up
-- What owners agreed to. Rows are added and never changed, but for the account, which is not known yet when
-- the owner agrees: Google tells which mailbox it is a moment later. No column can hold an address.
CREATE TABLE consents (
    id          TEXT PRIMARY KEY,          -- UUIDv7: sorts by time
    person      TEXT NOT NULL,
    account     TEXT NOT NULL DEFAULT '',  -- '' until the mailbox is known
    version     BIGINT NOT NULL,           -- of the disclosure; 0 for a withdrawal
    text_sha256 BYTEA NOT NULL,            -- of the text as it was shown; empty for a withdrawal
    act         TEXT NOT NULL,             -- agreed | withdrawn
    at          BIGINT NOT NULL            -- microseconds since 1970
);
CREATE INDEX consents_account ON consents (account, id);

-- What holds for each mailbox: its newest record. Other packages may join this view; nothing else of the
-- table is theirs to read.
CREATE VIEW consent_latest AS
SELECT c.account, c.version, c.at
FROM consents c
WHERE c.id = (SELECT max(n.id) FROM consents n WHERE n.account = c.account);

-- +goose Down
DROP VIEW consent_latest;
DROP TABLE consents;
