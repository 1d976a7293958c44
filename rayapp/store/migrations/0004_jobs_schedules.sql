-- Jobs, which are everything that takes long, and schedules, which make jobs by the clock.
-- A job is one row however many rows of data it works on: what it has done of them is in the ledger of its kind.

CREATE TABLE rayapp.job (
    id                  uuid             NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    seq                 bigint           GENERATED ALWAYS AS IDENTITY UNIQUE,
    kind                text             NOT NULL CHECK (kind ~ '^[a-z][a-z_]{0,39}$'),
    state               text             NOT NULL DEFAULT 'queued'
                                         CHECK (state IN ('queued', 'running', 'succeeded', 'partially_failed', 'failed', 'cancelled')),
    request             jsonb            NOT NULL DEFAULT '{}',
    priority            smallint         NOT NULL DEFAULT 0,
    created_by          text             NOT NULL DEFAULT '',
    idempotency_key     text,
    unique_key          text,
    pack                text,
    parent              uuid             REFERENCES rayapp.job,
    retry_of            uuid             REFERENCES rayapp.job,
    schedule            text,

    run_at              timestamptz      NOT NULL DEFAULT now(),
    max_attempts        smallint         NOT NULL DEFAULT 5 CHECK (max_attempts BETWEEN 1 AND 100),
    attempts            integer          NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    misses              integer          NOT NULL DEFAULT 0 CHECK (misses >= 0),
    worker              text,
    ray_job             text,
    lease_until         timestamptz,
    heartbeat_at        timestamptz,
    cancel_requested_at timestamptz,

    rows_total          bigint           CHECK (rows_total >= 0),
    rows_done           bigint           NOT NULL DEFAULT 0 CHECK (rows_done >= 0),
    rows_failed         bigint           NOT NULL DEFAULT 0 CHECK (rows_failed >= 0),
    rows_at_attempt     bigint           NOT NULL DEFAULT 0,
    result              jsonb,
    failure             text,

    created_at          timestamptz      NOT NULL DEFAULT now(),
    started_at          timestamptz,
    attempt_at          timestamptz,
    finished_at         timestamptz,

    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK ((state IN ('queued', 'running')) = (finished_at IS NULL)),
    CHECK (state <> 'failed' OR failure IS NOT NULL)
);
CREATE INDEX job_to_claim ON rayapp.job (priority DESC, run_at, seq) WHERE state = 'queued';
CREATE INDEX job_leased ON rayapp.job (lease_until) WHERE state = 'running';
CREATE INDEX job_of_creator ON rayapp.job (created_by, seq DESC);
CREATE INDEX job_of_parent ON rayapp.job (parent) WHERE parent IS NOT NULL;
CREATE INDEX job_of_retried ON rayapp.job (retry_of) WHERE retry_of IS NOT NULL;
CREATE UNIQUE INDEX job_unique_while_live ON rayapp.job (unique_key) WHERE state IN ('queued', 'running');
CREATE UNIQUE INDEX job_idempotency ON rayapp.job (created_by, idempotency_key) WHERE idempotency_key IS NOT NULL;

COMMENT ON TABLE  rayapp.job IS 'Everything that takes long: one row for each, whoever asked for it and wherever it runs. The truth about a job is here, never in Ray.';
COMMENT ON COLUMN rayapp.job.seq IS 'Grows with each job; of two that wait with one priority and one time the lower is first.';
COMMENT ON COLUMN rayapp.job.kind IS 'What is to be done, by the name of the program''s part that does it: ingest, reclassify, classify, ...';
COMMENT ON COLUMN rayapp.job.state IS 'queued: waits for a worker, or for run_at. running: someone has a lease on it. Final: succeeded, partially_failed (done, some rows could not be), failed (given up; failure says why), cancelled.';
COMMENT ON COLUMN rayapp.job.request IS 'What the kind needs to know, as it was asked for.';
COMMENT ON COLUMN rayapp.job.priority IS 'Higher first.';
COMMENT ON COLUMN rayapp.job.created_by IS 'Who asked: a client''s name, or the command line.';
COMMENT ON COLUMN rayapp.job.idempotency_key IS 'A second request by the same creator with the same key gives the same job, for ever.';
COMMENT ON COLUMN rayapp.job.unique_key IS 'No two jobs that are queued or running have the same.';
COMMENT ON COLUMN rayapp.job.pack IS 'Digest of the pack that the job decides by, once it is known; it stays the same to the end of the job.';
COMMENT ON COLUMN rayapp.job.parent IS 'The job that this one is a part of.';
COMMENT ON COLUMN rayapp.job.retry_of IS 'The job whose failed rows, or whose unfinished rest, this one does.';
COMMENT ON COLUMN rayapp.job.schedule IS 'The schedule that made it.';
COMMENT ON COLUMN rayapp.job.run_at IS 'It is not begun before.';
COMMENT ON COLUMN rayapp.job.max_attempts IS 'Attempts in a row that may end without any progress before the job is given up.';
COMMENT ON COLUMN rayapp.job.attempts IS 'How often it was begun. Also the fence: who holds an older number has lost the job and can change nothing.';
COMMENT ON COLUMN rayapp.job.misses IS 'Attempts in a row, up to now, that ended without any progress.';
COMMENT ON COLUMN rayapp.job.worker IS 'Who runs it or ran it last, for people.';
COMMENT ON COLUMN rayapp.job.ray_job IS 'Submission id of the Ray Job that runs it or ran it last.';
COMMENT ON COLUMN rayapp.job.lease_until IS 'When the holder counts as dead unless it is heard before.';
COMMENT ON COLUMN rayapp.job.heartbeat_at IS 'When the holder was last heard.';
COMMENT ON COLUMN rayapp.job.cancel_requested_at IS 'When a running job was asked to stop; what it has done stays done.';
COMMENT ON COLUMN rayapp.job.rows_total IS 'Rows that there are to do, once known.';
COMMENT ON COLUMN rayapp.job.rows_done IS 'Rows dealt with so far, the failed ones included; from the ledger of the kind.';
COMMENT ON COLUMN rayapp.job.rows_failed IS 'Rows among rows_done that could not be used.';
COMMENT ON COLUMN rayapp.job.rows_at_attempt IS 'rows_done when the present attempt began: what a rate is reckoned from.';
COMMENT ON COLUMN rayapp.job.result IS 'Summary of what was done, by the kind.';
COMMENT ON COLUMN rayapp.job.failure IS 'Why the last attempt ended early; of a failed job the cause.';
COMMENT ON COLUMN rayapp.job.started_at IS 'When it was first begun; attempt_at is the present or last attempt''s.';

CREATE TABLE rayapp.schedule (
    name         text        NOT NULL PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$'),
    cron         text        NOT NULL,
    timezone     text        NOT NULL DEFAULT 'UTC',
    kind         text        NOT NULL CHECK (kind ~ '^[a-z][a-z_]{0,39}$'),
    request      jsonb       NOT NULL DEFAULT '{}',
    priority     smallint    NOT NULL DEFAULT 0,
    max_attempts smallint    NOT NULL DEFAULT 5 CHECK (max_attempts BETWEEN 1 AND 100),
    enabled      boolean     NOT NULL DEFAULT true,
    next_at      timestamptz NOT NULL,
    fired_at     timestamptz,
    skipped      integer     NOT NULL DEFAULT 0,
    created_by   text        NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX schedule_due ON rayapp.schedule (next_at) WHERE enabled;
COMMENT ON TABLE  rayapp.schedule IS 'Jobs that are made by the clock.';
COMMENT ON COLUMN rayapp.schedule.cron IS 'Five fields: minute, hour, day of month, month, day of week.';
COMMENT ON COLUMN rayapp.schedule.timezone IS 'IANA name of the zone that cron is meant in.';
COMMENT ON COLUMN rayapp.schedule.next_at IS 'When the next job is made. Who moves it on makes the job, in one transaction, so there is one for each time. Times that nobody was there for make one job together.';
COMMENT ON COLUMN rayapp.schedule.fired_at IS 'The time for which the last job was made.';
COMMENT ON COLUMN rayapp.schedule.skipped IS 'How often the time came while the former job was not finished, so that none was made.';
