-- The newest readings, for readers only: the same rows come into the record's own table in larger, rarer writes.
CREATE TABLE recent (
    series INTEGER NOT NULL,
    time INTEGER NOT NULL,
    value ANY,
    quality INTEGER NOT NULL,
    PRIMARY KEY (series, time)
) STRICT, WITHOUT ROWID;
