-- Every command: the intent is written before the bus sees it, the end once.
CREATE TABLE command (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    node TEXT NOT NULL,
    thing TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    input TEXT NOT NULL,
    who TEXT NOT NULL,
    origin TEXT NOT NULL,
    reason TEXT NOT NULL,
    made INTEGER NOT NULL,
    ttl REAL NOT NULL,
    epoch INTEGER NOT NULL,
    -- '' = still open; set once, never changed after that
    ended_as TEXT NOT NULL DEFAULT '',
    why TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    remedy TEXT NOT NULL DEFAULT '',
    value TEXT NOT NULL DEFAULT 'null',
    accepted INTEGER NOT NULL DEFAULT 0,
    asked INTEGER NOT NULL DEFAULT 0,
    ended INTEGER NOT NULL DEFAULT 0,
    took_ms REAL NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX command_thing ON command (node, thing);
CREATE INDEX command_open ON command (made) WHERE ended_as = '';

-- What became known of a command after its line had ended otherwise.
CREATE TABLE later_truth (
    id TEXT NOT NULL,
    ended_as TEXT NOT NULL,
    detail TEXT NOT NULL,
    value TEXT NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (id, ended_as)
) STRICT, WITHOUT ROWID;

-- Up to where each stream of the bus has been read.
CREATE TABLE position (
    stream TEXT PRIMARY KEY,
    created TEXT NOT NULL,
    seq INTEGER NOT NULL,
    time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Secrets are kept as SHA-256 only. kind: link, session, token.
CREATE TABLE secret (
    hash BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    who TEXT NOT NULL,
    name TEXT NOT NULL,
    made INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX secret_expires ON secret (expires);
