-- name: open_job
-- The empty update gives back the row of a job that is there already.
INSERT INTO rayapp.ingest_job AS job (dataset, source, source_digest, source_bytes, pack_id, chunks)
SELECT $1, $2, $3, $4, pack.id, $6 FROM rayapp.pack WHERE pack.digest = $5
ON CONFLICT (dataset, source_digest, pack_id) DO UPDATE SET source = excluded.source
RETURNING seq, id, pack_id, chunks, finished_at IS NOT NULL AS finished;

-- name: loaded_chunks
SELECT number FROM rayapp.ingest_chunk WHERE job_seq = $1;

-- name: progress
SELECT job.id, job.source, pack.digest AS pack, job.chunks, count(chunk.number)::integer AS chunks_done,
       coalesce(sum(chunk.rows), 0)::bigint AS rows, coalesce(sum(chunk.inserted), 0)::bigint AS inserted,
       coalesce(sum(chunk.updated), 0)::bigint AS updated, coalesce(sum(chunk.superseded), 0)::bigint AS superseded,
       coalesce(sum(chunk.repeated), 0)::bigint AS repeated, coalesce(sum(chunk.quarantined), 0)::bigint AS quarantined,
       job.started_at, job.finished_at
FROM rayapp.ingest_job job
JOIN rayapp.pack ON pack.id = job.pack_id
LEFT JOIN rayapp.ingest_chunk chunk ON chunk.job_seq = job.seq
WHERE job.seq = $1
GROUP BY job.seq, pack.digest;

-- name: finish_job
UPDATE rayapp.ingest_job job
SET finished_at = coalesce(finished_at, now())
WHERE seq = $1 AND chunks = (SELECT count(*) FROM rayapp.ingest_chunk WHERE job_seq = $1);

-- name: quarantined
SELECT line, column_name, value, reason FROM rayapp.quarantine WHERE job_seq = $1 ORDER BY chunk, line, column_name LIMIT $2;

-- name: claim_chunk
-- First in its transaction: who claims the same chunk meanwhile waits here until this one is committed or gone.
INSERT INTO rayapp.ingest_chunk (job_seq, number)
VALUES ($1, $2)
ON CONFLICT DO NOTHING
RETURNING 1;

-- name: create_staging
CREATE TEMP TABLE staging (
    id text COLLATE "C", descriptor text, amount text, currency text, direction text, mcc text, country text, booked_at timestamptz, account_id text,
    user_id text, status text, merchant_name text, merchant_id text, processor text, category_primary text, category_detailed text,
    score double precision, confidence double precision, level text, merchant_score double precision, semantic_score double precision,
    rule_score double precision, alias_id text, rule_ids text[], row_number integer
) ON COMMIT DROP;

-- name: merge_staging
-- $1: version of the chunk's first row. $2: rayapp.pack.id.
-- Of rows with one id the last of the chunk counts. All writers go through ids in the same order, so none can wait for another in
-- a ring. A row whose version the table has passed changes nothing, so the order in which chunks are committed does not matter.
WITH latest AS MATERIALIZED (
    SELECT DISTINCT ON (id) * FROM staging ORDER BY id, row_number DESC
), merged AS (
    INSERT INTO rayapp.transaction AS stored
        (id, descriptor, amount, currency, direction, mcc, country, booked_at, account_id, user_id, version)
    SELECT id, descriptor, amount::numeric, currency, direction, mcc, country, booked_at, account_id, user_id,
           $1::bigint + row_number
    FROM latest
    ORDER BY id
    ON CONFLICT (id) DO UPDATE
    SET descriptor = excluded.descriptor, amount = excluded.amount, currency = excluded.currency, direction = excluded.direction,
        mcc = excluded.mcc, country = excluded.country, booked_at = excluded.booked_at, account_id = excluded.account_id,
        user_id = excluded.user_id, version = excluded.version
    WHERE excluded.version > stored.version
    RETURNING stored.id, stored.xmax = 0 AS is_new -- a row that was never updated or locked has no xmax
), decided AS (
    INSERT INTO rayapp.decision
        (transaction_id, status, merchant_name, merchant_id, processor, category_primary, category_detailed, score, confidence, level,
         merchant_score, semantic_score, rule_score, alias_id, rule_ids, pack_id)
    SELECT id, status, merchant_name, merchant_id, processor, category_primary, category_detailed, score, confidence, level,
           merchant_score, semantic_score, rule_score, alias_id, rule_ids, $2
    FROM latest JOIN merged USING (id)
    ORDER BY id
    ON CONFLICT (transaction_id) DO UPDATE
    SET status = excluded.status, merchant_name = excluded.merchant_name, merchant_id = excluded.merchant_id,
        processor = excluded.processor, category_primary = excluded.category_primary, category_detailed = excluded.category_detailed,
        score = excluded.score, confidence = excluded.confidence, level = excluded.level, merchant_score = excluded.merchant_score,
        semantic_score = excluded.semantic_score, rule_score = excluded.rule_score, alias_id = excluded.alias_id,
        rule_ids = excluded.rule_ids, pack_id = excluded.pack_id, decided_at = excluded.decided_at
)
SELECT (SELECT count(*) FROM staging)::integer AS staged, (SELECT count(*) FROM latest)::integer AS latest,
       count(*) FILTER (WHERE is_new)::integer AS inserted, count(*) FILTER (WHERE NOT is_new)::integer AS updated
FROM merged;

-- name: quarantine
INSERT INTO rayapp.quarantine (job_seq, chunk, line, column_name, value, reason)
SELECT $1, $2, bad.line, bad.column_name, bad.value, bad.reason
FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[]) AS bad (line, column_name, value, reason)
ON CONFLICT DO NOTHING;

-- name: count_chunk
UPDATE rayapp.ingest_chunk
SET rows = $3, inserted = $4, updated = $5, superseded = $6, repeated = $7, quarantined = $8, committed_at = clock_timestamp()
WHERE job_seq = $1 AND number = $2;
