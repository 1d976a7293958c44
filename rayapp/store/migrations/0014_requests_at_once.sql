-- A key's requests at a time are limited over all replicas: each leases a part of them.

CREATE TABLE rayapp.api_key_slot (
    key_id        integer          NOT NULL REFERENCES rayapp.api_key ON DELETE CASCADE,
    holder        text             NOT NULL,
    slots         integer          NOT NULL CHECK (slots >= 0),
    until         timestamptz      NOT NULL,
    PRIMARY KEY (key_id, holder)
) WITH (fillfactor = 50);
COMMENT ON TABLE  rayapp.api_key_slot IS 'How many of a key''s requests at a time each replica may work on. Together never more than the key may have.';
COMMENT ON COLUMN rayapp.api_key_slot.holder IS 'A replica''s own name, new with each start.';
COMMENT ON COLUMN rayapp.api_key_slot.until IS 'From when on the slots are others'', unless the replica says before that it lives.';
COMMENT ON COLUMN rayapp.api_key.at_once IS 'Requests that all replicas together work on at a time.';
