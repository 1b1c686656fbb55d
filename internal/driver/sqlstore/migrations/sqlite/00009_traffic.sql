-- +goose Up

-- What was downloaded, per day (Unix ms of its start, UTC). device is empty
-- where the request named none, or one that the app does not know.
CREATE TABLE traffic (
    app       TEXT   NOT NULL,
    day       BIGINT NOT NULL,
    device    BLOB   NOT NULL,
    downloads BIGINT NOT NULL,
    bytes     BIGINT NOT NULL,
    PRIMARY KEY (app, day, device)
) WITHOUT ROWID;
CREATE INDEX traffic_old ON traffic (day);

-- +goose Down
DROP TABLE traffic;
