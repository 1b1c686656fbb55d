-- +goose Up

-- How many inputs of a watch were stored and the running digest over them, so
-- that a history whose end is missing does not look whole.
ALTER TABLE guard_watches ADD COLUMN inputs BIGINT NOT NULL DEFAULT 0;
ALTER TABLE guard_watches ADD COLUMN digest TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE guard_watches DROP COLUMN digest;
ALTER TABLE guard_watches DROP COLUMN inputs;
