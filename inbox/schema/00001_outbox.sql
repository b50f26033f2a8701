-- What the inbox keeps at rest: what is being attached, what waits to be sent, and the owner's instruction to
-- send it. Everything a person wrote is sealed with the account's key (meta, body, details, raw). Times are
-- microseconds since 1970.

-- +goose Up
CREATE TABLE uploads (
    id      TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    person  TEXT NOT NULL,
    size    BIGINT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    meta    BYTEA NOT NULL, -- sealed: name and type
    body    BYTEA NOT NULL  -- sealed: the content
);
CREATE INDEX uploads_of_account ON uploads (account, person);
CREATE INDEX uploads_by_expiry ON uploads (expires);

CREATE TABLE instructions (
    id       TEXT PRIMARY KEY,
    account  TEXT NOT NULL,
    feature  TEXT NOT NULL,
    resource TEXT NOT NULL, -- id of the outbox row
    given    BIGINT NOT NULL,
    expires  BIGINT NOT NULL
);
CREATE INDEX instructions_of_account ON instructions (account);

CREATE TABLE outbox (
    id          TEXT PRIMARY KEY,
    account     TEXT NOT NULL,
    person      TEXT NOT NULL,
    idempotency TEXT NOT NULL, -- made by the page, once a message
    instruction TEXT NOT NULL,
    state       TEXT NOT NULL, -- queued, sending, sent, failed, undone
    step        TEXT NOT NULL, -- how far sending has come: start, creating, drafted, sending
    created     BIGINT NOT NULL,
    shown       BIGINT NOT NULL, -- the page offers to undo until then
    due         BIGINT NOT NULL, -- it leaves from then on
    next        BIGINT NOT NULL, -- the sender looks at it again from then on
    fence       BIGINT NOT NULL, -- raised by every claim; older claims write nothing any more
    lease       BIGINT NOT NULL, -- nobody else claims it until then
    attempts    BIGINT NOT NULL, -- claims so far
    looks       BIGINT NOT NULL, -- how often it was looked for in vain
    draft       TEXT NOT NULL, -- the one Gmail draft that is ever sent for it; '' until known
    thread      TEXT NOT NULL,
    message     TEXT NOT NULL, -- the sent message
    failure     TEXT NOT NULL, -- why it failed: a name, never text of Gmail's
    ended       BIGINT NOT NULL, -- when it became sent, failed or undone; 0 before
    details     BYTEA, -- sealed: what the composer held, for undo, and the header token
    raw         BYTEA, -- sealed: the message
    UNIQUE (account, idempotency)
);
CREATE INDEX outbox_waiting ON outbox (next) WHERE ended = 0;
CREATE INDEX outbox_ended ON outbox (ended) WHERE ended > 0;

-- +goose Down
DROP TABLE outbox;
DROP TABLE instructions;
DROP TABLE uploads;
