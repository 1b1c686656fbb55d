-- +goose Up

-- Signed metadata that is or was in force: the exact bytes, by role and version.
-- Roots are kept for ever, of the other roles the latest few. expires_at 0 = it
-- does not expire (trust.json).
CREATE TABLE sealed_documents (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    app        TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    role       TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    sha256     BLOB   NOT NULL,
    body       BLOB   NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    UNIQUE (app, role, version)
);

-- What the server signs with. The private half is sealed with the server's own
-- secret and bound to its app and use.
CREATE TABLE sealed_keys (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    app        TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    key_use    TEXT   NOT NULL,
    key_id     TEXT   NOT NULL,
    private    BLOB   NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (app, key_use, key_id)
);

-- Manifests of bundles. seq rises per app and is never used twice, so a row
-- outlives the bundle's content.
CREATE TABLE sealed_manifests (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    app        TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    bundle_id  BIGINT NOT NULL REFERENCES bundles (id) ON DELETE CASCADE,
    digest     BLOB   NOT NULL,
    size       BIGINT NOT NULL,
    class      TEXT   NOT NULL,
    seq        BIGINT NOT NULL,
    floor      BIGINT NOT NULL,
    mode       TEXT   NOT NULL,
    epoch      BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    UNIQUE (app, seq),
    UNIQUE (app, digest)
);
CREATE INDEX sealed_manifests_bundle ON sealed_manifests (bundle_id);

-- The sealed files and patches that a manifest needs.
CREATE TABLE sealed_refs (
    manifest_id BIGINT NOT NULL REFERENCES sealed_manifests (id) ON DELETE CASCADE,
    blob        BLOB   NOT NULL,
    PRIMARY KEY (manifest_id, blob)
) WITHOUT ROWID;

-- Keys of content by epoch, wrapped for who hands them out: the server, or a
-- broker by its name.
CREATE TABLE sealed_epochs (
    app        TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    epoch      BIGINT NOT NULL,
    custody    TEXT   NOT NULL,
    recipient  TEXT   NOT NULL,
    wrapped    BLOB   NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    PRIMARY KEY (app, epoch, custody, recipient)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE sealed_epochs;
DROP TABLE sealed_refs;
DROP TABLE sealed_manifests;
DROP TABLE sealed_keys;
DROP TABLE sealed_documents;
