-- +goose Up

-- What a bundle was made of and by whom: digests of stored documents, and the
-- ids of the keys that signed the second, as a JSON list.
ALTER TABLE bundles ADD COLUMN sbom BLOB NOT NULL DEFAULT x'';
ALTER TABLE bundles ADD COLUMN provenance BLOB NOT NULL DEFAULT x'';
ALTER TABLE bundles ADD COLUMN signed_by TEXT NOT NULL DEFAULT '[]';

-- Versions of the native app as they went to the stores. packages and config
-- are JSON.
CREATE TABLE native_builds (
    seq        INTEGER PRIMARY KEY,
    app        TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    platform   TEXT   NOT NULL,
    version    TEXT   NOT NULL,
    packages   TEXT   NOT NULL,
    config     TEXT   NOT NULL,
    print      BLOB   NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    UNIQUE (app, platform, version)
);

-- +goose Down
DROP TABLE native_builds;
ALTER TABLE bundles DROP COLUMN signed_by;
ALTER TABLE bundles DROP COLUMN provenance;
ALTER TABLE bundles DROP COLUMN sbom;
