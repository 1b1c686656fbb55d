-- +goose Up

-- What the guard watches: rollouts, and full releases (release <> 0). Of each
-- every input with what came of it, as JSON, and every decision. done says that
-- what a decision asks for was carried out.
CREATE TABLE guard_watches (
    app        TEXT   NOT NULL,
    rollout    TEXT   NOT NULL,
    channel    TEXT   NOT NULL,
    version    TEXT   NOT NULL,
    release    BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (app, rollout)
);
CREATE INDEX guard_watches_channel ON guard_watches (app, channel, started_at);
CREATE INDEX guard_watches_updated ON guard_watches (updated_at);

CREATE TABLE guard_inputs (
    app     TEXT   NOT NULL,
    rollout TEXT   NOT NULL,
    seq     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    input   TEXT   NOT NULL,
    result  TEXT   NOT NULL,
    PRIMARY KEY (app, rollout, seq)
);

CREATE TABLE guard_decisions (
    app      TEXT    NOT NULL,
    rollout  TEXT    NOT NULL,
    seq      BIGINT  NOT NULL,
    n        BIGINT  NOT NULL,
    decision TEXT    NOT NULL,
    done     BOOLEAN NOT NULL,
    PRIMARY KEY (app, rollout, seq, n)
);

-- A device that was control before it was treated has nobody to be compared with.
ALTER TABLE rollout_exposures ADD COLUMN moved BIGINT NOT NULL DEFAULT 0;

-- Channels that have no rules for the guard read the defaults.

-- +goose Down
ALTER TABLE rollout_exposures DROP COLUMN moved;
DROP TABLE guard_decisions;
DROP TABLE guard_inputs;
DROP TABLE guard_watches;
