-- +goose Up
-- When the person last signed in, and whether everything of theirs is being deleted.
ALTER TABLE persons ADD COLUMN seen BIGINT NOT NULL DEFAULT 0;
ALTER TABLE persons ADD COLUMN leaving BIGINT NOT NULL DEFAULT 0;
UPDATE persons SET seen = created;

-- Mailboxes that are gone. Requests that were under way when one was deleted may have written once more: it is
-- purged again after a while, and then its random number is forgotten too.
CREATE TABLE erased (
    account TEXT PRIMARY KEY,
    again   BIGINT NOT NULL              -- when to purge again
);

-- One row: up to when the deletions that the decision log names have certainly been made here. A restored copy
-- holds an older time, and what was deleted since is deleted again.
CREATE TABLE deletions_made (
    id    BIGINT PRIMARY KEY CHECK (id = 1),
    until BIGINT NOT NULL
);

-- What persons asked about their data, and when it was answered. A row outlives the person, without the link.
CREATE TABLE rights_requests (
    id       TEXT PRIMARY KEY,           -- UUIDv7: sorts by time
    person   TEXT NOT NULL,              -- '' once the person is deleted
    kind     TEXT NOT NULL,              -- access | portability | rectification | erasure | restriction | objection
    region   TEXT NOT NULL,              -- california, or '' for anywhere else
    received BIGINT NOT NULL,
    state    TEXT NOT NULL,              -- open | answered | refused | moot
    ended    BIGINT NOT NULL DEFAULT 0,
    how      TEXT NOT NULL DEFAULT '',   -- product | operator
    alarmed  BIGINT NOT NULL DEFAULT 0,  -- when the alarm of day 25 was raised
    breached BIGINT NOT NULL DEFAULT 0,  -- when the term had passed
    details  BYTEA                       -- sealed: address to answer to, and what was written; gone when ended
);
CREATE INDEX rights_requests_person ON rights_requests (person, received);
CREATE INDEX rights_requests_open ON rights_requests (received) WHERE state = 'open';

-- +goose Down
DROP TABLE rights_requests;
DROP TABLE deletions_made;
DROP TABLE erased;
ALTER TABLE persons DROP COLUMN leaving;
ALTER TABLE persons DROP COLUMN seen;
