-- +goose Up
-- When the event of the last change was in the log for certain: a view waits until a witness has signed for that time.
ALTER TABLE agreements ADD COLUMN noted BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE agreements DROP COLUMN noted;
