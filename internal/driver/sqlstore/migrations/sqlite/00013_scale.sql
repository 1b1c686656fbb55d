-- +goose Up

-- What was downloaded per day, and answered per quarter of an hour, over all
-- devices and channels: a busy app has very many rows of either.
CREATE TABLE traffic_days (
    app       TEXT   NOT NULL,
    day       BIGINT NOT NULL,
    downloads BIGINT NOT NULL,
    bytes     BIGINT NOT NULL,
    PRIMARY KEY (app, day)
) WITHOUT ROWID;
INSERT INTO traffic_days (app, day, downloads, bytes) SELECT app, day, sum(downloads), sum(bytes) FROM traffic GROUP BY app, day;

CREATE TABLE check_quarters (
    app     TEXT   NOT NULL,
    quarter BIGINT NOT NULL, -- Unix ms of its start
    answer  TEXT   NOT NULL,
    n       BIGINT NOT NULL,
    PRIMARY KEY (app, quarter, answer)
) WITHOUT ROWID;
INSERT INTO check_quarters (app, quarter, answer, n)
    SELECT app, minute - minute % 900000, answer, sum(n) FROM check_counts GROUP BY app, minute - minute % 900000, answer;

-- Finds the devices of a row of device_counts.
DROP INDEX devices_version;
CREATE INDEX devices_version ON devices (app, version_name, platform, default_channel);

-- +goose Down
DROP INDEX devices_version;
CREATE INDEX devices_version ON devices (app, version_name);
DROP TABLE check_quarters;
DROP TABLE traffic_days;
