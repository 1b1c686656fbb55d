-- +goose Up

-- What devices reported, as it came. received_at and id are ours; ts is the
-- device's clock (0 = not sent). mark is a hash of what else tells two reports
-- of one device apart, or random without a ts: reports are delivered at least
-- once, and the unique index makes the second copy a no-op. That index also
-- lists a device's events.
CREATE TABLE events (
    id               INTEGER PRIMARY KEY,
    app              TEXT    NOT NULL,
    device           BLOB    NOT NULL,
    ts               BIGINT  NOT NULL,
    mark             BIGINT  NOT NULL,
    received_at      BIGINT  NOT NULL,
    action           TEXT    NOT NULL,
    version_name     TEXT    NOT NULL,
    old_version_name TEXT    NOT NULL,
    version_build    TEXT    NOT NULL,
    platform         TEXT    NOT NULL,
    plugin_version   TEXT    NOT NULL,
    channel          TEXT    NOT NULL,
    known            BOOLEAN NOT NULL,
    counted          BOOLEAN NOT NULL,
    metadata         TEXT
);
CREATE UNIQUE INDEX events_once ON events (device, ts, mark);
CREATE INDEX events_app ON events (app, id);

-- The latest of every installation. reported_at is the device's own clock at
-- the last report that changed the row; print is a hash of what it says of
-- itself apart from version_name.
CREATE TABLE devices (
    app             TEXT    NOT NULL,
    id              BLOB    NOT NULL,
    platform        TEXT    NOT NULL,
    version_name    TEXT    NOT NULL,
    version_build   TEXT    NOT NULL,
    version_code    TEXT    NOT NULL,
    version_os      TEXT    NOT NULL,
    plugin_version  TEXT    NOT NULL,
    custom_id       TEXT    NOT NULL,
    is_prod         BOOLEAN NOT NULL,
    is_emulator     BOOLEAN NOT NULL,
    default_channel TEXT    NOT NULL,
    key_id          TEXT    NOT NULL,
    install_source  TEXT    NOT NULL,
    print           BIGINT  NOT NULL,
    first_seen      BIGINT  NOT NULL,
    last_seen       BIGINT  NOT NULL,
    reported_at     BIGINT  NOT NULL,
    PRIMARY KEY (app, id)
) WITHOUT ROWID;
CREATE INDEX devices_seen ON devices (app, last_seen, id);

-- Versions that are not offered to a device again until an operator clears it.
CREATE TABLE device_failures (
    app     TEXT   NOT NULL,
    device  BLOB   NOT NULL,
    version TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (app, device, version)
) WITHOUT ROWID;

-- One row per device that took a version: what automatic halts count.
-- at is when it came to its state.
CREATE TABLE device_outcomes (
    app     TEXT    NOT NULL,
    version TEXT    NOT NULL,
    device  BLOB    NOT NULL,
    failed  BOOLEAN NOT NULL,
    at      BIGINT  NOT NULL,
    PRIMARY KEY (app, version, device)
) WITHOUT ROWID;
CREATE INDEX device_outcomes_window ON device_outcomes (app, version, at, failed);
CREATE INDEX device_outcomes_old ON device_outcomes (at);

-- How many update checks were answered how, per minute.
CREATE TABLE check_counts (
    app     TEXT   NOT NULL,
    minute  BIGINT NOT NULL,
    channel TEXT   NOT NULL,
    answer  TEXT   NOT NULL,
    code    TEXT   NOT NULL,
    version TEXT   NOT NULL,
    n       BIGINT NOT NULL,
    PRIMARY KEY (app, minute, channel, answer, code, version)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE check_counts;
DROP TABLE device_outcomes;
DROP TABLE device_failures;
DROP TABLE devices;
DROP TABLE events;
