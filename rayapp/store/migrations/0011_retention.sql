-- What is forgotten after a time: finished jobs, result files, rows of plans that cannot be carried out any more, and, where it is asked
-- for, the history that a change is taken back by. The ledgers of loads and of reclassifications are kept for ever: they are what makes
-- a second load of the same source do nothing.

CREATE INDEX job_ended ON rayapp.job (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX job_source ON rayapp.job ((request ->> 'source'));
COMMENT ON COLUMN rayapp.job.idempotency_key IS 'A second request by the same creator with the same key gives the same job, for as long as it is kept.';

ALTER TABLE rayapp.changeset ADD COLUMN forgotten_at timestamptz;
COMMENT ON COLUMN rayapp.changeset.forgotten_at IS 'When its history was forgotten: it cannot be taken back since.';

ALTER TABLE rayapp.result_part ADD COLUMN forgotten boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN rayapp.result_part.forgotten IS 'The file is not kept any more; a retry writes it again.';
