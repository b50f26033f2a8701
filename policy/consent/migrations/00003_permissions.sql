-- +goose Up
-- What owners allow to leave the product, one row for each recipient and resource (LU-XFER-1). A row holds while
-- it is there and has not expired: withdrawing deletes it, and both acts are events in the decision log. No
-- column holds an address in the clear: a resource that would be one is its HMAC under the account's log key.
CREATE TABLE permissions (
    id        TEXT PRIMARY KEY,  -- UUIDv7: sorts by time
    account   TEXT NOT NULL,
    feature   TEXT NOT NULL,
    recipient TEXT NOT NULL,     -- id in the register of recipients
    resource  TEXT NOT NULL,
    shown     BYTEA NOT NULL,    -- what the owner sees of it, sealed with the account's key
    given     BIGINT NOT NULL,   -- microseconds since 1970
    expires   BIGINT NOT NULL,
    UNIQUE (account, feature, recipient, resource)
);

-- +goose Down
DROP TABLE permissions;
