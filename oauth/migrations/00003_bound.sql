-- +goose Up
-- HMAC over kind, id and subject_hmac: a person's number and how they sign in belong together.
ALTER TABLE persons ADD COLUMN bound BYTEA NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE persons DROP COLUMN bound;
