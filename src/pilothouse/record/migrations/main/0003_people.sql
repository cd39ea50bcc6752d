-- Its secrets were all of one person; what follows knows several. Whoever was logged in does so again.
DROP TABLE secret;

-- Counts changes about people. Whoever remembers an answer asks for this number, and every change begins by raising it,
-- so that where many write at once its lock makes them wait for each other.
CREATE TABLE people_revision (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL
) STRICT;
INSERT INTO people_revision (one, revision) VALUES (1, 1);

CREATE TABLE person (
    name TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    -- 0 = disabled
    active INTEGER NOT NULL,
    -- '' = known here; else who knows them, and as what
    source TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- argon2id, with its salt and cost; '' = none
    password TEXT NOT NULL,
    made INTEGER NOT NULL,
    -- 0 = never
    seen INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX person_outside ON person (source, subject) WHERE source <> '';

CREATE TABLE granted (
    who TEXT NOT NULL,
    -- role or role@where
    what TEXT NOT NULL,
    PRIMARY KEY (who, what)
) STRICT, WITHOUT ROWID;
CREATE INDEX granted_what ON granted (what);

-- Secrets are kept as SHA-256 only. The id names one to people; it does not let in.
CREATE TABLE session (
    hash BLOB PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    who TEXT NOT NULL,
    how TEXT NOT NULL,
    -- the guest link that it came with, '' = none
    guest TEXT NOT NULL,
    made INTEGER NOT NULL,
    used INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_who ON session (who, used);
CREATE INDEX session_guest ON session (guest) WHERE guest <> '';
CREATE INDEX session_expires ON session (expires);

CREATE TABLE token (
    hash BLOB PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    who TEXT NOT NULL,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    -- the place that it is for, '' = all of the owner's
    place TEXT NOT NULL,
    made INTEGER NOT NULL,
    -- 0 = never
    expires INTEGER NOT NULL,
    used INTEGER NOT NULL,
    address TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX token_who ON token (who);

CREATE TABLE link (
    hash BLOB PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    who TEXT NOT NULL,
    made INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX link_who ON link (who);

CREATE TABLE guest (
    hash BLOB PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    place TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Acts on the site and about people have no node: the few of one kind, in the order of n.
CREATE INDEX command_act ON command (kind) WHERE node = '';
