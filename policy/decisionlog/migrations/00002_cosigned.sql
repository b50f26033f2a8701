-- +goose Up
-- The newest checkpoint that carries a witness's signature beside the log's own.
CREATE TABLE decisionlog_cosigned (
    id         BIGINT PRIMARY KEY CHECK (id = 0),
    size       BIGINT NOT NULL,
    checkpoint TEXT   NOT NULL
);

-- +goose Down
DROP TABLE decisionlog_cosigned;
