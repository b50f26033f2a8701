-- +goose Up
-- Times are microseconds since 1970. BYTEA columns called *_hash or *_hmac are for look-up; every other BYTEA is
-- ciphertext. No column holds an address, a name, a token or a provider's subject number in the clear.

-- One row: a known text sealed with the master keyset, to notice a database opened with other keys.
CREATE TABLE key_check (
    id     BIGINT PRIMARY KEY,
    sealed BYTEA NOT NULL
);

-- Humans, owners and staff: nothing but a number and by which sign-in they are recognised.
CREATE TABLE persons (
    id           TEXT PRIMARY KEY,
    kind         TEXT NOT NULL,           -- owner | staff
    subject_hmac BYTEA NOT NULL UNIQUE,   -- of issuer and subject
    created      BIGINT NOT NULL
);

-- Mailboxes. A disconnected one stays only until everything of it is deleted.
CREATE TABLE accounts (
    id           TEXT PRIMARY KEY,
    person       TEXT NOT NULL REFERENCES persons (id),
    subject_hmac BYTEA NOT NULL UNIQUE,   -- of issuer and subject of the mailbox
    email_hmac   BYTEA NOT NULL,
    email        BYTEA NOT NULL,
    name         BYTEA NOT NULL,
    scopes       TEXT NOT NULL,           -- as granted, joined by spaces
    state        TEXT NOT NULL,           -- connected | disconnected
    epoch        BIGINT NOT NULL,
    log_key      BYTEA NOT NULL,          -- HMAC key of the account's pseudonyms in the log
    created      BIGINT NOT NULL
);
CREATE INDEX accounts_person ON accounts (person);
CREATE INDEX accounts_email ON accounts (email_hmac);

-- The account's own Tink keyset, wrapped by the master keyset. Deleting the row shreds all it sealed.
CREATE TABLE data_keys (
    account TEXT PRIMARY KEY REFERENCES accounts (id),
    wrapped BYTEA NOT NULL,
    created BIGINT NOT NULL
);

-- A connected account without a row here must be connected again.
CREATE TABLE tokens (
    account TEXT PRIMARY KEY REFERENCES accounts (id),
    refresh BYTEA NOT NULL,
    updated BIGINT NOT NULL
);

-- Permissions to give back at Google. Sealed with the master keyset: the account's own key is gone by then.
CREATE TABLE pending_revocations (
    id       TEXT PRIMARY KEY,
    token    BYTEA NOT NULL,
    attempts BIGINT NOT NULL,
    due      BIGINT NOT NULL,
    created  BIGINT NOT NULL
);

CREATE TABLE sessions (
    token_hash BYTEA PRIMARY KEY,         -- SHA-256 of the cookie
    kind       TEXT NOT NULL,
    person     TEXT NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
    data       BYTEA NOT NULL,
    created    BIGINT NOT NULL,
    last_seen  BIGINT NOT NULL
);
CREATE INDEX sessions_person ON sessions (person);
CREATE INDEX sessions_last_seen ON sessions (last_seen);

-- Redirects to a provider that have not come back yet.
CREATE TABLE flows (
    state_hash   BYTEA PRIMARY KEY,       -- SHA-256 of the state
    browser_hash BYTEA NOT NULL,          -- SHA-256 of the browser's flow cookie
    kind         TEXT NOT NULL,           -- sign-in | connect | staff
    data         BYTEA NOT NULL,          -- nonce, PKCE verifier, session, consent
    expires      BIGINT NOT NULL
);
CREATE INDEX flows_expires ON flows (expires);

-- +goose Down
DROP TABLE flows;
DROP TABLE sessions;
DROP TABLE pending_revocations;
DROP TABLE tokens;
DROP TABLE data_keys;
DROP TABLE accounts;
DROP TABLE persons;
DROP TABLE key_check;
