-- +goose Up
-- The privacy ledger: one row a month, made before anything is counted. Whoever makes it may draw noise for
-- the month; nobody else ever may. A month without a row has all its budget.
CREATE TABLE aggregate_ledger (
    month   TEXT PRIMARY KEY,          -- 2026-10, UTC
    epsilon BIGINT NOT NULL,           -- spent, in millionths
    delta   BIGINT NOT NULL,           -- spent, in parts of 10^12
    claim   TEXT NOT NULL,             -- the computation that the budget was given to
    claimed BIGINT NOT NULL,           -- microseconds since 1970
    closed  BIGINT NOT NULL DEFAULT 0, -- when it ended; 0 while it is under way
    release TEXT NOT NULL DEFAULT ''   -- what came of it; '' when no number passed
);

-- What was published, as the bytes that every reader gets. No column holds a true count.
CREATE TABLE aggregate_releases (
    id       TEXT PRIMARY KEY,
    month    TEXT NOT NULL UNIQUE REFERENCES aggregate_ledger (month),
    owners   BIGINT NOT NULL,          -- k: the least number of owners that a cell of it can have
    body     BYTEA NOT NULL,           -- JSON
    released BIGINT NOT NULL           -- microseconds since 1970
);

-- +goose Down
DROP TABLE aggregate_releases;
DROP TABLE aggregate_ledger;
