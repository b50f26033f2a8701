-- Which mailboxes Gmail is asked to tell of changes (users.watch). Times are microseconds since 1970.

-- +goose Up
CREATE TABLE watches (
    account     TEXT PRIMARY KEY,
    instruction TEXT NOT NULL, -- the owner's, given anew whenever a page is open
    renewed     BIGINT NOT NULL, -- the last success; 0 before the first
    tried       BIGINT NOT NULL,
    failures    BIGINT NOT NULL -- in a row
);

-- +goose Down
DROP TABLE watches;
