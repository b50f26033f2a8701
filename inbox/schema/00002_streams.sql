-- Files and large messages are sealed as streams, in rows of at most 256 kB, so that nobody needs to hold one as a
-- whole. What was one value before (uploads.body, outbox.raw) becomes the sealed key of the stream: uploads wait a
-- day at most, so those there are go; for a message in the outbox, size says which of both it is.

-- +goose Up
DELETE FROM uploads;
ALTER TABLE uploads RENAME COLUMN body TO key;
CREATE TABLE upload_parts (
    id      TEXT NOT NULL, -- of the upload
    n       BIGINT NOT NULL,
    account TEXT NOT NULL,
    created BIGINT NOT NULL,
    body    BYTEA NOT NULL, -- sealed
    PRIMARY KEY (id, n)
);
CREATE INDEX upload_parts_of_account ON upload_parts (account);

ALTER TABLE outbox ADD COLUMN size BIGINT NOT NULL DEFAULT 0; -- of a message in outbox_parts; 0: raw is the message
ALTER TABLE outbox ADD COLUMN planned BIGINT NOT NULL DEFAULT 0; -- the time that its owner chose for it; 0: at once
CREATE TABLE outbox_parts (
    id      TEXT NOT NULL, -- of the message
    n       BIGINT NOT NULL,
    account TEXT NOT NULL,
    created BIGINT NOT NULL,
    body    BYTEA NOT NULL, -- sealed
    PRIMARY KEY (id, n)
);
CREATE INDEX outbox_parts_of_account ON outbox_parts (account);

-- +goose Down
DROP TABLE outbox_parts;
ALTER TABLE outbox DROP COLUMN planned;
ALTER TABLE outbox DROP COLUMN size;
DROP TABLE upload_parts;
ALTER TABLE uploads RENAME COLUMN key TO body;
