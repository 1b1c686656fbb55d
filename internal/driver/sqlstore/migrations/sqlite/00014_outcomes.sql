-- +goose Up

-- One row per device and version: how far it came. state is the number of
-- outcome.State; times are Unix ms, the earliest known, 0 = none. at and failed
-- are what the threshold rule counts: when the device took the version, or
-- reported that it failed; at = 0 for one that did neither yet.
CREATE TABLE outcomes_new (
    app          TEXT    NOT NULL,
    version      TEXT    NOT NULL,
    device       BLOB    NOT NULL,
    state        BIGINT  NOT NULL,
    reason       TEXT    NOT NULL,
    platform     TEXT    NOT NULL,
    first_at     BIGINT  NOT NULL, -- when the row came to be
    offered_at   BIGINT  NOT NULL,
    installed_at BIGINT  NOT NULL,
    healthy_at   BIGINT  NOT NULL,
    failed_at    BIGINT  NOT NULL,
    left_at      BIGINT  NOT NULL,
    failed       BOOLEAN NOT NULL,
    at           BIGINT  NOT NULL,
    PRIMARY KEY (app, version, device)
) WITHOUT ROWID;

INSERT INTO outcomes_new (app, version, device, state, reason, platform, first_at, offered_at, installed_at, healthy_at, failed_at, left_at, failed, at)
    SELECT o.app, o.version, o.device, CASE WHEN o.failed THEN 6 ELSE 4 END,
        CASE WHEN o.failed THEN COALESCE(f.action, 'update_fail') ELSE '' END, CASE WHEN d.platform IN ('ios', 'android', 'electron') THEN d.platform ELSE 'other' END,
        o.at, 0, CASE WHEN o.failed THEN 0 ELSE o.at END, 0, CASE WHEN o.failed THEN o.at ELSE 0 END, 0, o.failed, o.at
    FROM device_outcomes o
    LEFT JOIN devices d ON d.app = o.app AND d.id = o.device
    LEFT JOIN device_failures f ON f.app = o.app AND f.device = o.device AND f.version = o.version;

DROP TABLE device_outcomes; -- and its indexes and triggers
ALTER TABLE outcomes_new RENAME TO device_outcomes;
CREATE INDEX device_outcomes_window ON device_outcomes (app, version, at, failed) WHERE at > 0;
CREATE INDEX device_outcomes_state ON device_outcomes (app, version, state, device) WHERE state >= 6; -- the few
CREATE INDEX device_outcomes_device ON device_outcomes (app, device);
CREATE INDEX device_outcomes_old ON device_outcomes (first_at);

-- How many devices are in which state, kept as rows come and go.
CREATE TABLE outcome_states (
    app      TEXT   NOT NULL,
    version  TEXT   NOT NULL,
    state    BIGINT NOT NULL,
    reason   TEXT   NOT NULL,
    platform TEXT   NOT NULL,
    n        BIGINT NOT NULL,
    PRIMARY KEY (app, version, state, reason, platform)
) WITHOUT ROWID;
INSERT INTO outcome_states (app, version, state, reason, platform, n)
    SELECT app, version, state, reason, platform, count(*) FROM device_outcomes GROUP BY 1, 2, 3, 4, 5;

-- The devices that are compared in a rollout. arm is the number of decide.Arm;
-- network a keyed hash; due when failures stop to count for a control device.
CREATE TABLE rollout_exposures (
    app       TEXT   NOT NULL,
    rollout   TEXT   NOT NULL,
    device    BLOB   NOT NULL,
    arm       BIGINT NOT NULL,
    channel   TEXT   NOT NULL,
    version   TEXT   NOT NULL, -- the rollout's
    platform  TEXT   NOT NULL,
    network   BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    due       BIGINT NOT NULL,
    failed_at BIGINT NOT NULL, -- 0 = it did not
    reason    TEXT   NOT NULL,
    PRIMARY KEY (app, rollout, device)
) WITHOUT ROWID;
CREATE INDEX rollout_exposures_device ON rollout_exposures (app, device);
CREATE INDEX rollout_exposures_old ON rollout_exposures (at);

-- Devices that are to be heard of again: after they installed a version, or
-- (rollout is set, version is not) became control of a rollout. due is on a
-- clock that stands still while this server does not run.
CREATE TABLE outcome_waits (
    app      TEXT   NOT NULL,
    device   BLOB   NOT NULL,
    version  TEXT   NOT NULL,
    rollout  TEXT   NOT NULL,
    platform TEXT   NOT NULL,
    network  BIGINT NOT NULL,
    since    BIGINT NOT NULL,
    due      BIGINT NOT NULL,
    PRIMARY KEY (app, device, version, rollout)
) WITHOUT ROWID;
CREATE INDEX outcome_waits_due ON outcome_waits (due);

-- +goose StatementBegin
CREATE TRIGGER outcomes_come AFTER INSERT ON device_outcomes WHEN NEW.at > 0
BEGIN
    INSERT INTO outcome_counts (app, hour, version, took, failed)
        VALUES (NEW.app, NEW.at - NEW.at % 3600000, NEW.version, 1, CASE WHEN NEW.failed THEN 1 ELSE 0 END)
        ON CONFLICT (app, hour, version) DO UPDATE SET took = took + 1, failed = failed + excluded.failed;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER outcomes_change AFTER UPDATE OF failed, at ON device_outcomes WHEN OLD.at <> NEW.at OR OLD.failed <> NEW.failed
BEGIN
    UPDATE outcome_counts SET took = took - 1, failed = failed - CASE WHEN OLD.failed THEN 1 ELSE 0 END
        WHERE OLD.at > 0 AND app = OLD.app AND hour = OLD.at - OLD.at % 3600000 AND version = OLD.version;
    DELETE FROM outcome_counts
        WHERE OLD.at > 0 AND app = OLD.app AND hour = OLD.at - OLD.at % 3600000 AND version = OLD.version AND took <= 0;
    INSERT INTO outcome_counts (app, hour, version, took, failed)
        SELECT NEW.app, NEW.at - NEW.at % 3600000, NEW.version, 1, CASE WHEN NEW.failed THEN 1 ELSE 0 END WHERE NEW.at > 0
        ON CONFLICT (app, hour, version) DO UPDATE SET took = took + 1, failed = failed + excluded.failed;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER outcomes_go AFTER DELETE ON device_outcomes WHEN OLD.at > 0
BEGIN
    UPDATE outcome_counts SET took = took - 1, failed = failed - CASE WHEN OLD.failed THEN 1 ELSE 0 END
        WHERE app = OLD.app AND hour = OLD.at - OLD.at % 3600000 AND version = OLD.version;
    DELETE FROM outcome_counts
        WHERE app = OLD.app AND hour = OLD.at - OLD.at % 3600000 AND version = OLD.version AND took <= 0;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER outcome_states_come AFTER INSERT ON device_outcomes
BEGIN
    INSERT INTO outcome_states (app, version, state, reason, platform, n)
        VALUES (NEW.app, NEW.version, NEW.state, NEW.reason, NEW.platform, 1)
        ON CONFLICT (app, version, state, reason, platform) DO UPDATE SET n = n + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER outcome_states_change AFTER UPDATE OF state, reason ON device_outcomes WHEN OLD.state <> NEW.state OR OLD.reason <> NEW.reason
BEGIN
    UPDATE outcome_states SET n = n - 1
        WHERE app = OLD.app AND version = OLD.version AND state = OLD.state AND reason = OLD.reason AND platform = OLD.platform;
    DELETE FROM outcome_states
        WHERE app = OLD.app AND version = OLD.version AND state = OLD.state AND reason = OLD.reason AND platform = OLD.platform AND n <= 0;
    INSERT INTO outcome_states (app, version, state, reason, platform, n)
        VALUES (NEW.app, NEW.version, NEW.state, NEW.reason, NEW.platform, 1)
        ON CONFLICT (app, version, state, reason, platform) DO UPDATE SET n = n + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER outcome_states_go AFTER DELETE ON device_outcomes
BEGIN
    UPDATE outcome_states SET n = n - 1
        WHERE app = OLD.app AND version = OLD.version AND state = OLD.state AND reason = OLD.reason AND platform = OLD.platform;
    DELETE FROM outcome_states
        WHERE app = OLD.app AND version = OLD.version AND state = OLD.state AND reason = OLD.reason AND platform = OLD.platform AND n <= 0;
END;
-- +goose StatementEnd

-- +goose Down
CREATE TABLE outcomes_old (
    app     TEXT    NOT NULL,
    version TEXT    NOT NULL,
    device  BLOB    NOT NULL,
    failed  BOOLEAN NOT NULL,
    at      BIGINT  NOT NULL,
    PRIMARY KEY (app, version, device)
) WITHOUT ROWID;
INSERT INTO outcomes_old (app, version, device, failed, at)
    SELECT app, version, device, failed, at FROM device_outcomes WHERE at > 0;
DROP TABLE device_outcomes;
ALTER TABLE outcomes_old RENAME TO device_outcomes;
CREATE INDEX device_outcomes_window ON device_outcomes (app, version, at, failed);
CREATE INDEX device_outcomes_old ON device_outcomes (at);
-- +goose StatementBegin
CREATE TRIGGER outcomes_come AFTER INSERT ON device_outcomes
BEGIN
    INSERT INTO outcome_counts (app, hour, version, took, failed)
        VALUES (NEW.app, NEW.at - NEW.at % 3600000, NEW.version, 1, CASE WHEN NEW.failed THEN 1 ELSE 0 END)
        ON CONFLICT (app, hour, version) DO UPDATE SET took = took + 1, failed = failed + excluded.failed;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER outcomes_change AFTER UPDATE OF failed, at ON device_outcomes
BEGIN
    UPDATE outcome_counts SET took = took - 1, failed = failed - CASE WHEN OLD.failed THEN 1 ELSE 0 END
        WHERE app = OLD.app AND hour = OLD.at - OLD.at % 3600000 AND version = OLD.version;
    DELETE FROM outcome_counts
        WHERE app = OLD.app AND hour = OLD.at - OLD.at % 3600000 AND version = OLD.version AND took <= 0;
    INSERT INTO outcome_counts (app, hour, version, took, failed)
        VALUES (NEW.app, NEW.at - NEW.at % 3600000, NEW.version, 1, CASE WHEN NEW.failed THEN 1 ELSE 0 END)
        ON CONFLICT (app, hour, version) DO UPDATE SET took = took + 1, failed = failed + excluded.failed;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER outcomes_go AFTER DELETE ON device_outcomes
BEGIN
    UPDATE outcome_counts SET took = took - 1, failed = failed - CASE WHEN OLD.failed THEN 1 ELSE 0 END
        WHERE app = OLD.app AND hour = OLD.at - OLD.at % 3600000 AND version = OLD.version;
    DELETE FROM outcome_counts
        WHERE app = OLD.app AND hour = OLD.at - OLD.at % 3600000 AND version = OLD.version AND took <= 0;
END;
-- +goose StatementEnd
DROP TABLE outcome_waits;
DROP TABLE rollout_exposures;
DROP TABLE outcome_states;
