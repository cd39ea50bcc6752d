-- Stops: pressed once, lifted once; one without lifted_time holds.
CREATE TABLE stop (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    time INTEGER NOT NULL,
    who TEXT NOT NULL,
    origin TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- 0 = it holds
    lifted_time INTEGER NOT NULL DEFAULT 0,
    lifted_by TEXT NOT NULL DEFAULT '',
    lifted_reason TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX stop_holds ON stop (time) WHERE lifted_time = 0;

-- One index for each filter that alone may leave a few of very many lines. Within one value its entries are in the
-- order of n, so that a page of the newest is read off it without sorting.
CREATE INDEX command_node ON command (node);
CREATE INDEX command_thing_name ON command (thing);
CREATE INDEX command_who ON command (who);
CREATE INDEX command_origin ON command (origin);
CREATE INDEX command_made ON command (made);
-- The few that are open, in the order of n as well; before, it was in the order of made.
DROP INDEX command_open;
CREATE INDEX command_open ON command (ended_as) WHERE ended_as = '';
-- Nearly every command is confirmed, and one that is costs nothing here.
CREATE INDEX command_other_end ON command (ended_as) WHERE ended_as NOT IN ('', 'confirmed');

-- When the node took the command, asked the device and ended it, by what became known later; 0 = not said.
ALTER TABLE later_truth ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE later_truth ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE later_truth ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
