-- +goose Up
-- When this deployment first ran with a disclosure: from then on it was announced to owners (CHG-2).
CREATE TABLE disclosures (
    version   BIGINT PRIMARY KEY,
    announced BIGINT NOT NULL            -- microseconds since 1970
);

ALTER TABLE consents ADD COLUMN language TEXT NOT NULL DEFAULT 'en'; -- of the text that was shown
CREATE INDEX consents_person ON consents (person, id);

-- What holds for each mailbox: its newest record, and the version that its owner agreed to first.
DROP VIEW consent_latest;
CREATE VIEW consent_latest AS
SELECT c.account, c.version, c.at, coalesce((
    SELECT f.version FROM consents f
    WHERE f.id = (SELECT min(o.id) FROM consents o WHERE o.person = c.person AND o.act = 'agreed' AND o.account <> '')
), 0) AS first
FROM consents c
WHERE c.id = (SELECT max(n.id) FROM consents n WHERE n.account = c.account);

-- +goose Down
DROP VIEW consent_latest;
CREATE VIEW consent_latest AS
SELECT c.account, c.version, c.at
FROM consents c
WHERE c.id = (SELECT max(n.id) FROM consents n WHERE n.account = c.account);
DROP INDEX consents_person;
ALTER TABLE consents DROP COLUMN language;
DROP TABLE disclosures;
