-- +goose Up
-- The filters that auditors keep under names of their own. A filter holds pseudonyms and names of rules, no mail.
CREATE TABLE audit_searches (
    id      TEXT   PRIMARY KEY, -- UUIDv7: sorts by time
    person  TEXT   NOT NULL,    -- member of staff whose search it is
    name    TEXT   NOT NULL,
    query   TEXT   NOT NULL,    -- as in the address of the page
    created BIGINT NOT NULL     -- microseconds since 1970
);
CREATE INDEX audit_searches_person ON audit_searches (person, id);

-- +goose Down
DROP TABLE audit_searches;
