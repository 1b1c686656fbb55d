-- +goose Up

-- What dashboards show of devices and outcomes, counted as rows come and go:
-- counting a million of them for every look would take seconds. A row whose
-- number falls to zero is removed.
CREATE TABLE device_counts (
    app      TEXT   NOT NULL,
    version  TEXT   NOT NULL,
    platform TEXT   NOT NULL,
    channel  TEXT   NOT NULL, -- that they name
    n        BIGINT NOT NULL,
    PRIMARY KEY (app, version, platform, channel)
) WITHOUT ROWID;
CREATE INDEX device_counts_most ON device_counts (app, n);

CREATE TABLE device_totals (
    app TEXT   PRIMARY KEY,
    n   BIGINT NOT NULL
) WITHOUT ROWID;

-- hour is the start of the hour, Unix ms.
CREATE TABLE outcome_counts (
    app     TEXT   NOT NULL,
    hour    BIGINT NOT NULL,
    version TEXT   NOT NULL,
    took    BIGINT NOT NULL,
    failed  BIGINT NOT NULL,
    PRIMARY KEY (app, hour, version)
) WITHOUT ROWID;

-- Searches for few of many devices.
CREATE INDEX devices_custom_id ON devices (app, custom_id) WHERE custom_id <> '';
CREATE INDEX devices_version ON devices (app, version_name);
CREATE INDEX devices_channel ON devices (app, default_channel) WHERE default_channel <> '';

INSERT INTO device_counts (app, version, platform, channel, n)
    SELECT app, version_name, platform, default_channel, count(*) FROM devices GROUP BY 1, 2, 3, 4;
INSERT INTO device_totals (app, n) SELECT app, count(*) FROM devices GROUP BY 1;
INSERT INTO outcome_counts (app, hour, version, took, failed)
    SELECT app, at - at % 3600000, version, count(*), sum(CASE WHEN failed THEN 1 ELSE 0 END) FROM device_outcomes GROUP BY 1, 2, 3;

-- +goose StatementBegin
CREATE TRIGGER devices_come AFTER INSERT ON devices
BEGIN
    INSERT INTO device_counts (app, version, platform, channel, n)
        VALUES (NEW.app, NEW.version_name, NEW.platform, NEW.default_channel, 1)
        ON CONFLICT (app, version, platform, channel) DO UPDATE SET n = n + 1;
    INSERT INTO device_totals (app, n) VALUES (NEW.app, 1) ON CONFLICT (app) DO UPDATE SET n = n + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER devices_change AFTER UPDATE OF version_name, platform, default_channel ON devices
WHEN OLD.version_name <> NEW.version_name OR OLD.platform <> NEW.platform OR OLD.default_channel <> NEW.default_channel
BEGIN
    UPDATE device_counts SET n = n - 1
        WHERE app = OLD.app AND version = OLD.version_name AND platform = OLD.platform AND channel = OLD.default_channel;
    DELETE FROM device_counts
        WHERE app = OLD.app AND version = OLD.version_name AND platform = OLD.platform AND channel = OLD.default_channel AND n <= 0;
    INSERT INTO device_counts (app, version, platform, channel, n)
        VALUES (NEW.app, NEW.version_name, NEW.platform, NEW.default_channel, 1)
        ON CONFLICT (app, version, platform, channel) DO UPDATE SET n = n + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER devices_go AFTER DELETE ON devices
BEGIN
    UPDATE device_counts SET n = n - 1
        WHERE app = OLD.app AND version = OLD.version_name AND platform = OLD.platform AND channel = OLD.default_channel;
    DELETE FROM device_counts
        WHERE app = OLD.app AND version = OLD.version_name AND platform = OLD.platform AND channel = OLD.default_channel AND n <= 0;
    UPDATE device_totals SET n = n - 1 WHERE app = OLD.app;
    DELETE FROM device_totals WHERE app = OLD.app AND n <= 0;
END;
-- +goose StatementEnd
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

-- +goose Down
DROP TRIGGER outcomes_go;
DROP TRIGGER outcomes_change;
DROP TRIGGER outcomes_come;
DROP TRIGGER devices_go;
DROP TRIGGER devices_change;
DROP TRIGGER devices_come;
DROP INDEX devices_channel;
DROP INDEX devices_version;
DROP INDEX devices_custom_id;
DROP TABLE outcome_counts;
DROP TABLE device_totals;
DROP TABLE device_counts;
