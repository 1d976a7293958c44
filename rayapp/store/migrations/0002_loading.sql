-- Loads of any declared dataset: how a source was cut, where a load stands, and first loads into empty tables.

-- ------------------------------------------------------------------------------------------------ transactions and decisions

ALTER TABLE rayapp.transaction ADD COLUMN IF NOT EXISTS clean text;
COMMENT ON COLUMN rayapp.transaction.clean IS 'The descriptor as rules see it (ASCII-folded, upper case, single spaces), only where that is not upper(descriptor COLLATE "C"). Read it as coalesce(clean, upper(descriptor COLLATE "C")).';

ALTER TABLE rayapp.decision ADD COLUMN IF NOT EXISTS locked boolean NOT NULL DEFAULT false;
ALTER TABLE rayapp.decision ADD COLUMN IF NOT EXISTS version bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN rayapp.decision.locked IS 'A person decided: neither a load nor a change of packs decides anew.';
COMMENT ON COLUMN rayapp.decision.version IS 'rayapp.transaction.version of the values that were decided upon.';
UPDATE rayapp.decision SET version = stored.version FROM rayapp.transaction stored WHERE stored.id = transaction_id;

CREATE OR REPLACE VIEW rayapp.classified AS
    SELECT t.id, t.descriptor, t.amount, t.currency, t.direction, t.mcc, t.country, t.booked_at, t.account_id, t.user_id, t.version,
           d.status, d.merchant_name, d.merchant_id, d.processor, d.category_primary, d.category_detailed, d.score, d.confidence,
           d.level, d.merchant_score, d.semantic_score, d.rule_score, d.alias_id, d.rule_ids, p.digest AS pack, d.decided_at, d.locked
    FROM rayapp.transaction t
    JOIN rayapp.decision d ON d.transaction_id = t.id
    JOIN rayapp.pack p ON p.id = d.pack_id;

-- ---------------------------------------------------------------------------------------------------------------- datasets

CREATE TABLE rayapp.dataset (
    name        text        NOT NULL PRIMARY KEY,
    table_name  text        NOT NULL UNIQUE,
    key         text[]      NOT NULL,
    declaration text        NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  rayapp.dataset IS 'The declared datasets whose tables were made in this database.';
COMMENT ON COLUMN rayapp.dataset.declaration IS 'SHA-256 of the declaration that the table was last brought up to.';

-- ------------------------------------------------------------------------------------------------------------------ ledger

ALTER TABLE rayapp.ingest_job ALTER COLUMN pack_id DROP NOT NULL;
ALTER TABLE rayapp.ingest_job DROP CONSTRAINT ingest_job_dataset_source_digest_pack_id_key;
ALTER TABLE rayapp.ingest_job ADD CONSTRAINT ingest_job_source UNIQUE NULLS NOT DISTINCT (dataset, source_digest, pack_id);
ALTER TABLE rayapp.ingest_job ADD COLUMN source_rows bigint CHECK (source_rows >= 0);
ALTER TABLE rayapp.ingest_job ADD COLUMN tier text NOT NULL DEFAULT 'huge' CHECK (tier IN ('small', 'medium', 'large', 'huge'));
ALTER TABLE rayapp.ingest_job ADD COLUMN manifest json;
ALTER TABLE rayapp.ingest_job ADD COLUMN stopped_at timestamptz;
ALTER TABLE rayapp.ingest_job ADD COLUMN stopped_why text;
COMMENT ON COLUMN rayapp.ingest_job.pack_id IS 'The pack that decides; null for datasets that are not classified.';
COMMENT ON COLUMN rayapp.ingest_job.source_digest IS 'Digest of the source''s bytes and of what its columns mean, however it is cut.';
COMMENT ON COLUMN rayapp.ingest_job.source_rows IS 'Rows of the source, as counted or estimated when the job began.';
COMMENT ON COLUMN rayapp.ingest_job.tier IS 'How it is loaded, chosen by its rows when the job began.';
COMMENT ON COLUMN rayapp.ingest_job.manifest IS 'The pieces that the source was cut into when the job began; a job that goes on cuts it the same way, whatever the settings are by then.';
COMMENT ON COLUMN rayapp.ingest_job.stopped_at IS 'When it was stopped before its end; null while it runs and when it is done.';
COMMENT ON COLUMN rayapp.ingest_job.stopped_why IS 'Why it was stopped: cancelled, or too many bad rows.';

ALTER TABLE rayapp.quarantine ADD COLUMN file text NOT NULL DEFAULT '';
COMMENT ON COLUMN rayapp.quarantine.file IS 'The file of the source, where it has several.';

CREATE TABLE rayapp.first_load (
    dataset    text        NOT NULL PRIMARY KEY,
    job_seq    bigint      NOT NULL REFERENCES rayapp.ingest_job,
    rebuild    text[]      NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  rayapp.first_load IS 'Datasets whose tables are being filled for the first time: without keys and indexes, which are built at the end. Other loads of the dataset are refused until then.';
COMMENT ON COLUMN rayapp.first_load.rebuild IS 'Statements that build the keys and indexes that were dropped, in order.';
