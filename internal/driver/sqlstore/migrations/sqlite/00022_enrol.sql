-- +goose Up

-- Which devices of an app get certificates and content keys; an app without a
-- row enrols nobody. doc is JSON.
CREATE TABLE sealed_policies (
    app            TEXT    NOT NULL PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
    doc            TEXT    NOT NULL,
    signed_reports BOOLEAN NOT NULL,
    updated_at     BIGINT  NOT NULL,
    updated_by     TEXT    NOT NULL
);

-- The last serial of an app's certificates: none is given twice.
CREATE TABLE sealed_serials (
    app    TEXT   NOT NULL PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
    serial BIGINT NOT NULL
);

-- Enrolled keys with their newest certificate; earlier ones do not count. salt
-- is what hides the device in the log. report_n is the number of the last signed
-- report, reports_lost how many numbers the device left out.
CREATE TABLE sealed_devices (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    app          TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    device       TEXT   NOT NULL,
    thumbprint   TEXT   NOT NULL,
    sign_key     TEXT   NOT NULL,
    agree_key    BLOB   NOT NULL,
    subject      TEXT   NOT NULL,
    groups       TEXT   NOT NULL,
    platform     TEXT   NOT NULL,
    assurance    TEXT   NOT NULL,
    signals      TEXT   NOT NULL,
    serial       BIGINT NOT NULL,
    cert_digest  BLOB   NOT NULL,
    certificate  BLOB   NOT NULL,
    salt         BLOB   NOT NULL,
    enrolled_at  BIGINT NOT NULL,
    issued_at    BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    granted_at   BIGINT NOT NULL DEFAULT 0,
    grants       BIGINT NOT NULL DEFAULT 0,
    report_n     BIGINT NOT NULL DEFAULT 0,
    reports_lost BIGINT NOT NULL DEFAULT 0,
    UNIQUE (app, thumbprint)
);
CREATE INDEX sealed_devices_device ON sealed_devices (app, device);
CREATE INDEX sealed_devices_subject ON sealed_devices (app, subject);
CREATE INDEX sealed_devices_digest ON sealed_devices (cert_digest);
CREATE INDEX sealed_devices_expired ON sealed_devices (expires_at);

-- Nonces that were used; once expired they are refused by their own time.
CREATE TABLE sealed_nonces (
    nonce      BLOB   NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX sealed_nonces_expired ON sealed_nonces (expires_at);

-- What gets no more keys: a device, a subject, or a range of serials.
CREATE TABLE sealed_revocations (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    app         TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    kind        TEXT   NOT NULL,
    device      TEXT   NOT NULL,
    subject     TEXT   NOT NULL,
    from_serial BIGINT NOT NULL,
    to_serial   BIGINT NOT NULL,
    reason      TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    by_actor    TEXT   NOT NULL
);
CREATE INDEX sealed_revocations_device ON sealed_revocations (app, device) WHERE kind = 'device';
CREATE INDEX sealed_revocations_subject ON sealed_revocations (app, subject) WHERE kind = 'subject';
CREATE INDEX sealed_revocations_serials ON sealed_revocations (app, from_serial) WHERE kind = 'serials';

-- One vote of a device on each stage of a release: stages is a set of bits.
CREATE TABLE sealed_votes (
    app    TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    device TEXT   NOT NULL,
    seq    BIGINT NOT NULL,
    stages BIGINT NOT NULL,
    PRIMARY KEY (app, device, seq)
) WITHOUT ROWID;

-- How often devices asked, by hour and outcome; what is counted is not listed.
CREATE TABLE sealed_uses (
    app   TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    hour  BIGINT NOT NULL,
    what  TEXT   NOT NULL,
    code  TEXT   NOT NULL,
    n     BIGINT NOT NULL,
    PRIMARY KEY (app, hour, what, code)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE sealed_uses;
DROP TABLE sealed_votes;
DROP TABLE sealed_revocations;
DROP TABLE sealed_nonces;
DROP TABLE sealed_devices;
DROP TABLE sealed_serials;
DROP TABLE sealed_policies;
