-- +goose Up

-- What people took out of service: held is '', quarantined or blocked.
ALTER TABLE bundles ADD COLUMN held TEXT NOT NULL DEFAULT '';
ALTER TABLE bundles ADD COLUMN held_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bundles ADD COLUMN held_by TEXT NOT NULL DEFAULT '';
ALTER TABLE bundles ADD COLUMN held_reason TEXT NOT NULL DEFAULT '';
CREATE INDEX bundles_held ON bundles (app) WHERE held <> '';

-- frozen_at 0 = the channel is open.
ALTER TABLE channels ADD COLUMN frozen_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE channels ADD COLUMN frozen_by TEXT NOT NULL DEFAULT '';
ALTER TABLE channels ADD COLUMN frozen_reason TEXT NOT NULL DEFAULT '';

-- baseline, affected and left_it are devices: on the version when the recovery
-- began or since, those of them that were active lately, and those that left.
CREATE TABLE incidents (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    org           TEXT   NOT NULL,
    app           TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    channel       TEXT   NOT NULL,
    version       TEXT   NOT NULL,
    subject       TEXT   NOT NULL,
    title         TEXT   NOT NULL,
    severity      TEXT   NOT NULL,
    commander     TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    opened_by     TEXT   NOT NULL,
    released_at   BIGINT NOT NULL,
    opened_at     BIGINT NOT NULL,
    contained_at  BIGINT NOT NULL DEFAULT 0,
    recovering_at BIGINT NOT NULL DEFAULT 0,
    resolved_at   BIGINT NOT NULL DEFAULT 0,
    closed_at     BIGINT NOT NULL DEFAULT 0,
    recovered_to  TEXT   NOT NULL DEFAULT '',
    baseline      BIGINT NOT NULL DEFAULT 0,
    affected      BIGINT NOT NULL DEFAULT 0,
    left_it       BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX incidents_app ON incidents (app, id);
CREATE INDEX incidents_open ON incidents (state) WHERE state <> 'closed';

CREATE TABLE incident_samples (
    incident BIGINT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    at       BIGINT NOT NULL,
    affected BIGINT NOT NULL,
    left_it  BIGINT NOT NULL,
    PRIMARY KEY (incident, at)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE incident_samples;
DROP TABLE incidents;
ALTER TABLE channels DROP COLUMN frozen_reason;
ALTER TABLE channels DROP COLUMN frozen_by;
ALTER TABLE channels DROP COLUMN frozen_at;
DROP INDEX bundles_held;
ALTER TABLE bundles DROP COLUMN held_reason;
ALTER TABLE bundles DROP COLUMN held_by;
ALTER TABLE bundles DROP COLUMN held_at;
ALTER TABLE bundles DROP COLUMN held;
