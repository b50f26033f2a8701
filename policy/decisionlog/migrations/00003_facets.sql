-- +goose Up
-- The columns that have few values each, as one index: few combinations of them occur, so that any filter on them
-- is a few look-ups, however rare what it asks for. idx and at are there so that no row need be read for them.
CREATE INDEX decisionlog_events_facets ON decisionlog_events
    (kind, allowed, actor_kind, operation, purpose, feature, basis, clauses, outcome, idx, at);

-- From a time to a place in the log.
DROP INDEX decisionlog_events_at;
CREATE INDEX decisionlog_events_at ON decisionlog_events (at, idx);

-- +goose Down
DROP INDEX decisionlog_events_facets;
DROP INDEX decisionlog_events_at;
CREATE INDEX decisionlog_events_at ON decisionlog_events (at);
