-- +goose Up

-- Requests for the approval of further people. They outlive what they are
-- about, so they reference nothing. document is canonical JSON, digest its
-- SHA-256; content is the digest of the bundle that goes on the channel of
-- channel_id, empty if none does. authors is a JSON list of user ids.
CREATE TABLE approvals (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    org         TEXT    NOT NULL,
    app         TEXT    NOT NULL,
    channel     TEXT    NOT NULL,
    channel_id  BIGINT  NOT NULL,
    act         TEXT    NOT NULL,
    object      TEXT    NOT NULL,
    document    TEXT    NOT NULL,
    digest      BLOB    NOT NULL,
    content     BLOB    NOT NULL,
    required    BIGINT  NOT NULL,
    independent BOOLEAN NOT NULL DEFAULT FALSE, -- people related by invitation do not count
    need        BIGINT  NOT NULL,
    have        BIGINT  NOT NULL DEFAULT 0,
    actor       TEXT    NOT NULL,
    authors     TEXT    NOT NULL,
    created_at  BIGINT  NOT NULL,
    expires_at  BIGINT  NOT NULL,
    state       TEXT    NOT NULL,
    closed_at   BIGINT  NOT NULL DEFAULT 0,
    closed_by   TEXT    NOT NULL DEFAULT '',
    reason      TEXT    NOT NULL DEFAULT '',
    broke_glass BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX approvals_app ON approvals (app, id);
CREATE INDEX approvals_state ON approvals (state, id);
CREATE INDEX approvals_content ON approvals (channel_id, content);

-- One person votes once on a request.
CREATE TABLE approval_votes (
    approval_id BIGINT  NOT NULL REFERENCES approvals (id) ON DELETE CASCADE,
    person      BIGINT  NOT NULL,
    actor       TEXT    NOT NULL,
    at          BIGINT  NOT NULL,
    asserted    BOOLEAN NOT NULL,
    related     TEXT    NOT NULL DEFAULT '', -- how an invitation ties them to others
    PRIMARY KEY (approval_id, person)
);

-- When somebody last did without the approvals that the channel asks for.
ALTER TABLE channels ADD COLUMN broke_glass_at BIGINT NOT NULL DEFAULT 0;

-- How an invitation reached the invited: 'link' was shown to who invited, 'mail'
-- only to them.
ALTER TABLE enrol_links ADD COLUMN delivered TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN invited_via TEXT NOT NULL DEFAULT '';

-- Addresses that users had before: what was made in that name is still theirs.
CREATE TABLE former_emails (
    email   TEXT   NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (email, user_id)
);

-- How many devices operators bound lately.
CREATE INDEX changes_bound ON changes (app, action, at);

-- +goose Down
DROP INDEX changes_bound;
DROP TABLE former_emails;
ALTER TABLE users DROP COLUMN invited_via;
ALTER TABLE enrol_links DROP COLUMN delivered;
ALTER TABLE channels DROP COLUMN broke_glass_at;
DROP TABLE approval_votes;
DROP TABLE approvals;
