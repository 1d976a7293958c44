-- What jobs over HTTP need: result files and their ledger, answers that are given again, and who is told when a job ends.

CREATE TABLE rayapp.classify_run (
    job          uuid        NOT NULL PRIMARY KEY REFERENCES rayapp.job ON DELETE CASCADE,
    pack         text        NOT NULL,
    digest       text        NOT NULL,
    tier         text        NOT NULL,
    rows         bigint      NOT NULL CHECK (rows >= 0),
    begun_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  rayapp.classify_run IS 'Rows that are classified to files. A retry goes on with the run of the job that it retries.';
COMMENT ON COLUMN rayapp.classify_run.job IS 'The job that began it.';
COMMENT ON COLUMN rayapp.classify_run.pack IS 'Digest of the pack that decides from the first row to the last.';
COMMENT ON COLUMN rayapp.classify_run.digest IS 'Names the bytes of the source, what its columns mean and the cut: a source that changed is not gone on with.';
COMMENT ON COLUMN rayapp.classify_run.tier IS 'How the source is cut, see rayapp.sources.tiers.';

CREATE TABLE rayapp.result_part (
    run          uuid        NOT NULL REFERENCES rayapp.classify_run ON DELETE CASCADE,
    number       integer     NOT NULL CHECK (number >= 0),
    job          uuid        NOT NULL REFERENCES rayapp.job ON DELETE CASCADE,
    last_row     bigint      NOT NULL,
    rows         integer     NOT NULL CHECK (rows >= 0),
    rejected     integer     NOT NULL CHECK (rejected BETWEEN 0 AND rows),
    file         text        NOT NULL,
    written_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run, number)
);
CREATE INDEX result_part_rows ON rayapp.result_part (run, last_row);
COMMENT ON TABLE  rayapp.result_part IS 'The ledger of result files: what is not here is not done, whatever files lie there.';
COMMENT ON COLUMN rayapp.result_part.job IS 'The job that wrote it.';
COMMENT ON COLUMN rayapp.result_part.last_row IS 'One-based row of the source that is its last.';
COMMENT ON COLUMN rayapp.result_part.file IS 'Relative to the installation''s directory of files. Complete before this row is committed.';

CREATE TABLE rayapp.given_answer (
    client       text        NOT NULL,
    key          text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint  bytea       NOT NULL,
    status       smallint    NOT NULL,
    location     text        NOT NULL,
    body         bytea       NOT NULL,
    given_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client, key)
);
CREATE INDEX given_answer_age ON rayapp.given_answer (given_at);
COMMENT ON TABLE  rayapp.given_answer IS 'Answers to requests with an Idempotency-Key, written in the transaction that did what was asked.';
COMMENT ON COLUMN rayapp.given_answer.fingerprint IS 'SHA-256 of what was asked: another request with the key is refused.';

CREATE TABLE rayapp.webhook (
    job          uuid        NOT NULL PRIMARY KEY REFERENCES rayapp.job ON DELETE CASCADE,
    url          text        NOT NULL,
    secrets      text[]      NOT NULL CHECK (cardinality(secrets) BETWEEN 1 AND 4)
);
COMMENT ON TABLE  rayapp.webhook IS 'Who is told when a job ends.';
COMMENT ON COLUMN rayapp.webhook.secrets IS 'Signed with each of them, so that a receiver can change from one to the next.';

-- A job that ends makes the job that tells of it, in the same transaction, whoever ends it.
CREATE FUNCTION rayapp.tell_of_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rayapp.job (kind, request, created_by, parent, max_attempts)
    SELECT 'webhook', jsonb_build_object('about', NEW.id, 'type', 'job.' || NEW.state, 'at', NEW.finished_at), NEW.created_by, NEW.id, 10
    FROM rayapp.webhook WHERE webhook.job = NEW.id;
    IF FOUND THEN
        PERFORM pg_notify('rayapp_job', 'queued webhook');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER job_tells_of_end AFTER UPDATE OF state ON rayapp.job FOR EACH ROW
    WHEN (NEW.state IN ('succeeded', 'partially_failed', 'failed', 'cancelled') AND OLD.state IN ('queued', 'running') AND NEW.kind <> 'webhook')
    EXECUTE FUNCTION rayapp.tell_of_end();
