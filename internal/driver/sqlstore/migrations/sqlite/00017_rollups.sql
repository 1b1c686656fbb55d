-- +goose Up

-- Sums of what devices report, written with the events. res is the length of a
-- step: 0 = minute, 1 = hour, 2 = day (UTC); at is its start, Unix ms, by the time
-- of arrival. Reports name versions, systems and the like: storage admits so
-- many names per day and sums up the rest as "(other)".
CREATE TABLE rollup_counts (
    app             TEXT   NOT NULL,
    res             BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    version         TEXT   NOT NULL,
    opens           BIGINT NOT NULL,
    sessions        BIGINT NOT NULL,
    foreground_ms   BIGINT NOT NULL,
    starts          BIGINT NOT NULL,
    launches        BIGINT NOT NULL,
    launch_ms       BIGINT NOT NULL,
    launch_timeouts BIGINT NOT NULL,
    crashes         BIGINT NOT NULL,
    anrs            BIGINT NOT NULL,
    web_errors      BIGINT NOT NULL,
    offered         BIGINT NOT NULL, -- from here on devices that came to the state
    downloading     BIGINT NOT NULL,
    downloaded      BIGINT NOT NULL,
    installed       BIGINT NOT NULL,
    healthy         BIGINT NOT NULL,
    failed          BIGINT NOT NULL,
    regressed       BIGINT NOT NULL,
    rolled_back     BIGINT NOT NULL,
    downloads       BIGINT NOT NULL, -- these two in rows without a version
    bytes           BIGINT NOT NULL,
    PRIMARY KEY (app, res, at, version)
) WITHOUT ROWID;

-- Why devices failed on a version.
CREATE TABLE rollup_reasons (
    app     TEXT   NOT NULL,
    res     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    version TEXT   NOT NULL,
    reason  TEXT   NOT NULL,
    n       BIGINT NOT NULL,
    PRIMARY KEY (app, res, at, version, reason)
) WITHOUT ROWID;

-- How long launches took, as a histogram, by hour and day.
CREATE TABLE rollup_launches (
    app     TEXT   NOT NULL,
    res     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    version TEXT   NOT NULL,
    hist    BLOB   NOT NULL,
    PRIMARY KEY (app, res, at, version)
) WITHOUT ROWID;

-- Distinct devices that were heard of: n of them, and the set that n was counted
-- from. dim: 0 = all, 1 = running a version, 2 = platform, 3 = system, 4 = plugin.
-- Minutes have dim 0, hours 0 and 1, days all.
CREATE TABLE rollup_active (
    app     TEXT   NOT NULL,
    res     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    dim     BIGINT NOT NULL,
    name    TEXT   NOT NULL,
    n       BIGINT NOT NULL,
    devices BLOB   NOT NULL,
    PRIMARY KEY (app, res, at, dim, name)
) WITHOUT ROWID;

-- The latest turns of a device between foreground and background; seen is when
-- the last of them came.
CREATE TABLE rollup_presence (
    app    TEXT   NOT NULL,
    device BLOB   NOT NULL,
    seen   BIGINT NOT NULL,
    marks  BLOB   NOT NULL,
    PRIMARY KEY (app, device)
) WITHOUT ROWID;

-- The key that device ids are hashed with: who knew it could make up ids that
-- count for thousands.
CREATE TABLE rollup_key (
    id  BIGINT PRIMARY KEY,
    key BLOB   NOT NULL
);
INSERT INTO rollup_key (id, key) VALUES (1, randomblob(16));

-- +goose Down
DROP TABLE rollup_key;
DROP TABLE rollup_presence;
DROP TABLE rollup_active;
DROP TABLE rollup_launches;
DROP TABLE rollup_reasons;
DROP TABLE rollup_counts;
