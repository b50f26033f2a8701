-- +goose Up
-- Assertions that were accepted, so that none is accepted twice, whichever node it comes to. A jti is chosen by
-- its caller and could hold anything: only a digest is kept.
CREATE TABLE platform_assertions (
    digest  BYTEA PRIMARY KEY,   -- SHA-256 of the caller's id and the jti
    expires BIGINT NOT NULL      -- microseconds since 1970; deleted after that
);
CREATE INDEX platform_assertions_expires ON platform_assertions (expires);

-- +goose Down
DROP TABLE platform_assertions;
