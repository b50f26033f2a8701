-- +goose Up
-- Who may see which messages. Times are microseconds since 1970, 0 while they are not known. Everything that
-- people wrote or chose is in details, sealed under the mailbox's key and bound to the row.
CREATE TABLE agreements (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    state      TEXT NOT NULL,
    created    BIGINT NOT NULL,
    asked      BIGINT NOT NULL DEFAULT 0,    -- when the owner was asked
    agreed     BIGINT NOT NULL DEFAULT 0,    -- when the owner's sign-in was signed
    ends       BIGINT NOT NULL DEFAULT 0,    -- when staff stop seeing it
    changed    BIGINT NOT NULL,
    version    BIGINT NOT NULL,              -- raised by each change: a change is made from the version that was read
    event      TEXT NOT NULL,                -- of the last change
    actor_kind TEXT NOT NULL,                -- who made it; '' for the clock
    actor      TEXT NOT NULL,
    recorded   BOOLEAN NOT NULL,             -- whether that event is in the log
    details    BYTEA NOT NULL,
    proof      BYTEA                         -- the owner's ID token, sealed; gone when the agreement ends early
);
CREATE INDEX agreements_account ON agreements (account, created);
CREATE INDEX agreements_state ON agreements (state, changed);

-- What staff looked at. The message is sealed.
CREATE TABLE agreement_views (
    decision  TEXT PRIMARY KEY,
    agreement TEXT NOT NULL,
    account   TEXT NOT NULL,
    at        BIGINT NOT NULL,
    what      BYTEA NOT NULL
);
CREATE INDEX agreement_views_agreement ON agreement_views (agreement, at);
CREATE INDEX agreement_views_account ON agreement_views (account);

-- When members of staff acknowledged the rules (LU-HUM-5).
CREATE TABLE acknowledgements (
    id          TEXT PRIMARY KEY,            -- UUIDv7: sorts by time
    person      TEXT NOT NULL,
    version     BIGINT NOT NULL,             -- of the text
    text_sha256 BYTEA NOT NULL,              -- of the text as it was shown
    at          BIGINT NOT NULL
);
CREATE INDEX acknowledgements_person ON acknowledgements (person, at);

-- +goose Down
DROP TABLE acknowledgements;
DROP TABLE agreement_views;
DROP TABLE agreements;
