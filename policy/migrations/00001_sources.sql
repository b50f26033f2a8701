-- +goose Up
-- Every policy that was ever in force, as text: with it, each decision of the log can be made again.
CREATE TABLE policy_sources (
    revision TEXT PRIMARY KEY,           -- SHA-256 of the source, in hex, as it stands in the decisions
    at       BIGINT NOT NULL,            -- microseconds since 1970, when it was first put in force
    source   BYTEA NOT NULL              -- gzip of a JSON object: file name -> text
);

-- The signed bundles that were put in force. A number belongs to one file for ever.
CREATE TABLE policy_bundles (
    number BIGINT PRIMARY KEY,           -- the manifest's revision
    sha256 TEXT NOT NULL,                -- of the file, in hex
    bundle BYTEA NOT NULL                -- the file, for a start without it
);

-- +goose Down
DROP TABLE policy_bundles;
DROP TABLE policy_sources;
