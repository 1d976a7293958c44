-- Clients of the service: their keys, and the token buckets that their rows are metered by.

CREATE TABLE rayapp.api_key (
    id            integer          GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text             NOT NULL CHECK (name <> ''),
    mark          text             NOT NULL UNIQUE,
    hash          bytea            NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    tier          text             NOT NULL CHECK (tier IN ('priority', 'standard', 'bulk')),
    rows_per_s    double precision NOT NULL CHECK (rows_per_s > 0),
    burst_rows    double precision NOT NULL CHECK (burst_rows >= 1),
    at_once       integer          NOT NULL CHECK (at_once > 0),
    created_at    timestamptz      NOT NULL DEFAULT now(),
    revoked_at    timestamptz
);
COMMENT ON TABLE  rayapp.api_key IS 'Keys of clients. A key itself is shown once, when it is made, and kept nowhere.';
COMMENT ON COLUMN rayapp.api_key.name IS 'Whose it is, in a person''s words.';
COMMENT ON COLUMN rayapp.api_key.mark IS 'The beginning of the key, by which a person knows it again.';
COMMENT ON COLUMN rayapp.api_key.hash IS 'SHA-256 of the key. A key has 256 random bits, so that no slower hash would make it safer.';
COMMENT ON COLUMN rayapp.api_key.tier IS 'Whose turn it is when clients wait: see rayapp.serve.queueing.';
COMMENT ON COLUMN rayapp.api_key.rows_per_s IS 'Rows that fall into the bucket each second.';
COMMENT ON COLUMN rayapp.api_key.burst_rows IS 'Rows that the bucket holds.';
COMMENT ON COLUMN rayapp.api_key.at_once IS 'Requests that one replica works on at a time.';

CREATE TABLE rayapp.api_key_bucket (
    key_id        integer          NOT NULL PRIMARY KEY REFERENCES rayapp.api_key ON DELETE CASCADE,
    tokens        double precision NOT NULL,
    refilled_at   timestamptz      NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
COMMENT ON TABLE  rayapp.api_key_bucket IS 'What is in each key''s bucket. Replicas lease blocks of tokens from it, so that a limit holds however many there are.';
COMMENT ON COLUMN rayapp.api_key_bucket.tokens IS 'Rows at the time of refilled_at; below nought after a request of more rows than the bucket holds.';
