-- Whoever may see some things only reads the events of these, newest first, without passing those of all others.
CREATE INDEX event_thing ON event (node, thing);
