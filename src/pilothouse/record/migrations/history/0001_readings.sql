CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Up to where each stream of the bus has been written; changes in the same transaction as the rows.
CREATE TABLE position (
    stream TEXT PRIMARY KEY,
    created TEXT NOT NULL,
    seq INTEGER NOT NULL,
    time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One property of one thing over time. kind: 0 number, 1 boolean, 2 anything else (as JSON text).
-- hold: milliseconds that a value is believed without being reported again.
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    node TEXT NOT NULL,
    thing TEXT NOT NULL,
    property TEXT NOT NULL,
    kind INTEGER NOT NULL,
    unit TEXT NOT NULL,
    hold INTEGER NOT NULL,
    UNIQUE (node, thing, property)
) STRICT;

-- quality: 0 good, 1 uncertain, 2 bad, 3 gap (nobody was reading from then on). time: Unix milliseconds, node's clock.
CREATE TABLE reading (
    series INTEGER NOT NULL,
    time INTEGER NOT NULL,
    value ANY,
    quality INTEGER NOT NULL,
    PRIMARY KEY (series, time)
) STRICT, WITHOUT ROWID;

-- Roll-ups. mean is weighted by time; held: milliseconds with a value; broken: the line ends within it.
CREATE TABLE minute (
    series INTEGER NOT NULL,
    time INTEGER NOT NULL,
    low REAL,
    high REAL,
    mean REAL,
    count INTEGER NOT NULL,
    held INTEGER NOT NULL,
    broken INTEGER NOT NULL,
    PRIMARY KEY (series, time)
) STRICT, WITHOUT ROWID;
CREATE TABLE hour (
    series INTEGER NOT NULL,
    time INTEGER NOT NULL,
    low REAL,
    high REAL,
    mean REAL,
    count INTEGER NOT NULL,
    held INTEGER NOT NULL,
    broken INTEGER NOT NULL,
    PRIMARY KEY (series, time)
) STRICT, WITHOUT ROWID;

-- Minutes (tier 0) and hours (tier 1) of a node that are to be rolled up (again). stamp grows with every touch.
CREATE TABLE dirty (
    tier INTEGER NOT NULL,
    node TEXT NOT NULL,
    time INTEGER NOT NULL,
    stamp INTEGER NOT NULL,
    PRIMARY KEY (tier, node, time)
) STRICT, WITHOUT ROWID;

-- Which batches of a node have come and which are missing, as JSON (record.gaps.Track).
CREATE TABLE track (
    node TEXT PRIMARY KEY,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE node (
    node TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    version TEXT NOT NULL,
    state TEXT NOT NULL,
    last_seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE thing (
    node TEXT NOT NULL,
    thing TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    described TEXT NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (node, thing)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    time INTEGER NOT NULL,
    id TEXT NOT NULL,
    node TEXT NOT NULL,
    thing TEXT NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (time, id)
) STRICT, WITHOUT ROWID;
