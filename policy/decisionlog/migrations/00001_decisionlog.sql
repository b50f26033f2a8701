-- +goose Up

-- One row an event. body is the Merkle leaf; the other columns repeat parts of it so that auditors can filter
-- by them. They prove nothing themselves: verification derives them from the body again.
CREATE TABLE decisionlog_events (
    idx         BIGINT  PRIMARY KEY, -- position in the log, from 0, without gaps
    at          BIGINT  NOT NULL,    -- microseconds since 1970 UTC
    kind        TEXT    NOT NULL,
    decision_id TEXT    NOT NULL,
    ref         BIGINT,              -- outcome: index of its decision; drop: index of the first event kept
    actor_kind  TEXT    NOT NULL,
    actor       TEXT    NOT NULL,
    account     TEXT    NOT NULL,
    operation   TEXT    NOT NULL,
    purpose     TEXT    NOT NULL,
    feature     TEXT    NOT NULL,
    basis       TEXT    NOT NULL,
    allowed     BOOLEAN NOT NULL,
    clauses     TEXT    NOT NULL,    -- separated by single spaces
    outcome     TEXT    NOT NULL,
    body        BYTEA   NOT NULL
);
CREATE INDEX decisionlog_events_at ON decisionlog_events (at);
CREATE INDEX decisionlog_events_account ON decisionlog_events (account, idx);
CREATE INDEX decisionlog_events_actor ON decisionlog_events (actor, idx);
CREATE INDEX decisionlog_events_decision ON decisionlog_events (decision_id) WHERE decision_id <> '';
CREATE INDEX decisionlog_events_ref ON decisionlog_events (ref) WHERE ref IS NOT NULL;
CREATE INDEX decisionlog_events_refused ON decisionlog_events (idx) WHERE kind = 'decision' AND allowed = FALSE;

-- The Merkle tree's hashes, numbered as golang.org/x/mod/sumdb/tlog numbers them. They outlive the events.
CREATE TABLE decisionlog_hashes (
    idx  BIGINT PRIMARY KEY,
    hash BYTEA  NOT NULL
);

-- The one row that says how far the log reaches. Every append replaces it by compare-and-swap.
CREATE TABLE decisionlog_head (
    id         BIGINT PRIMARY KEY CHECK (id = 0),
    size       BIGINT NOT NULL,
    root       BYTEA  NOT NULL,
    kept_from  BIGINT NOT NULL, -- index of the oldest event whose row has not been dropped by retention
    checkpoint TEXT   NOT NULL  -- signed note over origin, size and root
);

-- +goose Down
DROP TABLE decisionlog_head;
DROP TABLE decisionlog_hashes;
DROP TABLE decisionlog_events;
