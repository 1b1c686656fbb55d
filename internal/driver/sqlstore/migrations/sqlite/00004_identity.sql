-- +goose Up

-- What a browser signs in with. data is the credential record as JSON;
-- reset_by is the user whose reset link made it, -1 for a machine's link.
CREATE TABLE passkeys (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id       BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id BLOB   NOT NULL UNIQUE,
    handle        BLOB   NOT NULL,
    rp_id         TEXT   NOT NULL,
    origin        TEXT   NOT NULL,
    data          BLOB   NOT NULL,
    name          TEXT   NOT NULL,
    synced        BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    last_used     BIGINT NOT NULL DEFAULT 0,
    reset_by      BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX passkeys_user ON passkeys (user_id, id);

-- A password never goes without a TOTP secret. The secret is sealed with the
-- server's own; totp_step is the last step whose code was taken.
CREATE TABLE passwords (
    user_id     BIGINT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    phc         TEXT   NOT NULL, -- '' = only the TOTP is set
    totp        BLOB   NOT NULL,
    totp_step   BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    reset_by    BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE recovery_codes (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash    BLOB   NOT NULL,
    PRIMARY KEY (user_id, hash)
);

CREATE TABLE sessions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash       BLOB   NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    strong_at  BIGINT NOT NULL,
    method     TEXT   NOT NULL,
    place      TEXT   NOT NULL,
    agent      TEXT   NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_seen ON sessions (seen_at);

-- Where a user signed in from before.
CREATE TABLE places (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    place   TEXT   NOT NULL, -- network and browser
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, place)
);

-- Links that let somebody enrol once: setup, invite or reset. maker is the user
-- who made it, -1 = a machine or the server.
CREATE TABLE enrol_links (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT   NOT NULL,
    hash       BLOB   NOT NULL UNIQUE,
    email      TEXT   NOT NULL,
    user_id    BIGINT NOT NULL, -- reset: whose methods; 0 = nobody yet
    grants     TEXT   NOT NULL, -- JSON
    maker      BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL DEFAULT 0,
    revoked_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX enrol_links_kind ON enrol_links (kind, id);

CREATE TABLE sso_providers (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT   NOT NULL UNIQUE,
    name            TEXT   NOT NULL,
    issuer          TEXT   NOT NULL,
    client_id       TEXT   NOT NULL,
    client_secret   BLOB   NOT NULL, -- sealed
    domains         TEXT   NOT NULL, -- JSON
    trusted_domains TEXT   NOT NULL, -- JSON
    create_users    BIGINT NOT NULL,
    group_claim     TEXT   NOT NULL,
    group_map       TEXT   NOT NULL, -- JSON
    created_at      BIGINT NOT NULL,
    created_by      TEXT   NOT NULL
);

-- Who an issuer's subject is here.
CREATE TABLE sso_subjects (
    provider TEXT   NOT NULL REFERENCES sso_providers (id) ON DELETE CASCADE,
    subject  TEXT   NOT NULL,
    user_id  BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX sso_subjects_user ON sso_subjects (user_id);

-- Ceremonies that ended: none ends twice.
CREATE TABLE used_flows (
    hash       BLOB   NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_flows_expires ON used_flows (expires_at);

-- Challenges of assertions over a digest that are not answered yet.
CREATE TABLE assertions (
    user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    digest     BLOB   NOT NULL,
    nonce      BLOB   NOT NULL,
    origin     TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, digest)
);

-- +goose Down
DROP TABLE assertions;
DROP TABLE used_flows;
DROP TABLE sso_subjects;
DROP TABLE sso_providers;
DROP TABLE enrol_links;
DROP TABLE places;
DROP TABLE sessions;
DROP TABLE recovery_codes;
DROP TABLE passwords;
DROP TABLE passkeys;
