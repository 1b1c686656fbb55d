-- +goose Up

-- Named parts of an app's devices: an expression, or a JSON list of custom ids.
CREATE TABLE cohorts (
    app        TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    name       TEXT   NOT NULL,
    expr       TEXT   NOT NULL,
    ids        TEXT   NOT NULL,
    size       BIGINT NOT NULL,
    note       TEXT   NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT   NOT NULL,
    PRIMARY KEY (app, name)
) WITHOUT ROWID;

-- The few channels that have a rollout, which is looked at every few seconds.
CREATE INDEX channels_rollout ON channels (id) WHERE rollout <> '';

-- +goose Down
DROP INDEX channels_rollout;
DROP TABLE cohorts;
