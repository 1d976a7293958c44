-- name: open_job
-- The empty update gives back the row of a job that is there already, with the cut that it began with.
INSERT INTO rayapp.ingest_job AS job (dataset, source, source_digest, source_bytes, source_rows, pack_id, chunks, tier, manifest)
SELECT $1, $2, $3, $4, $5, pack.id, $7, $8, $9::json
FROM (SELECT 1) one LEFT JOIN rayapp.pack ON pack.digest = $6
WHERE $6 IS NULL OR pack.id IS NOT NULL
ON CONFLICT (dataset, source_digest, pack_id) DO UPDATE SET source = excluded.source, stopped_at = NULL, stopped_why = NULL
RETURNING seq, id, dataset, pack_id, chunks, tier, manifest::text AS manifest, finished_at IS NOT NULL AS finished;

-- name: find_job
SELECT seq, id, dataset, pack_id, chunks, tier, manifest::text AS manifest, finished_at IS NOT NULL AS finished
FROM rayapp.ingest_job WHERE id = $1;

-- name: was_loaded
SELECT EXISTS (SELECT FROM rayapp.ingest_job WHERE dataset = $1 AND source_digest = $2 AND finished_at IS NOT NULL);

-- name: stop_job
UPDATE rayapp.ingest_job SET stopped_at = now(), stopped_why = $2 WHERE seq = $1 AND finished_at IS NULL;

-- name: loaded_chunks
SELECT number FROM rayapp.ingest_chunk WHERE job_seq = $1;

-- name: progress
SELECT job.id, job.dataset, job.source, pack.digest AS pack, job.tier, job.source_rows, job.chunks,
       count(chunk.number)::integer AS chunks_done,
       coalesce(sum(chunk.rows), 0)::bigint AS rows, coalesce(sum(chunk.inserted), 0)::bigint AS inserted,
       coalesce(sum(chunk.updated), 0)::bigint AS updated, coalesce(sum(chunk.superseded), 0)::bigint AS superseded,
       coalesce(sum(chunk.repeated), 0)::bigint AS repeated, coalesce(sum(chunk.quarantined), 0)::bigint AS quarantined,
       job.started_at, job.finished_at, job.stopped_at, job.stopped_why
FROM rayapp.ingest_job job
LEFT JOIN rayapp.pack ON pack.id = job.pack_id
LEFT JOIN rayapp.ingest_chunk chunk ON chunk.job_seq = job.seq
WHERE job.seq = $1
GROUP BY job.seq, pack.digest;

-- name: finish_job
-- Waits until this and all that was committed before, chunks on other connections too, is on the disk: those commits do not wait.
UPDATE rayapp.ingest_job job
SET finished_at = coalesce(finished_at, now()), stopped_at = NULL, stopped_why = NULL
FROM (SELECT set_config('synchronous_commit', 'on', true)) waits
WHERE seq = $1 AND chunks = (SELECT count(*) FROM rayapp.ingest_chunk WHERE job_seq = $1);

-- name: quarantined
SELECT line, column_name, value, reason, file FROM rayapp.quarantine WHERE job_seq = $1 ORDER BY chunk, line, column_name LIMIT $2;

-- name: reserve
SELECT CASE WHEN EXISTS (SELECT FROM rayapp.ingest_chunk WHERE job_seq = $1::bigint AND number = $2::integer) THEN false
            ELSE pg_try_advisory_lock($1::bigint::integer, $2::integer) END;

-- name: release
SELECT pg_advisory_unlock($1::bigint::integer, $2::integer);

-- name: take_turn
-- Shared by all loads. Who changes how a dataset's tables are loaded, or applies a plan to decisions, takes the same lock for itself alone.
SELECT pg_advisory_xact_lock_shared(hashtextextended('rayapp.load.' || $1, 0)),
       CASE WHEN $2 THEN pg_advisory_xact_lock_shared(hashtext('rayapp.decisions')) END;

-- name: claim_chunk
-- Who claims the same chunk meanwhile waits here until this one is committed or gone. Says whose first load of the dataset runs, if any,
-- and whether the job was stopped.
INSERT INTO rayapp.ingest_chunk (job_seq, number)
VALUES ($1, $2)
ON CONFLICT DO NOTHING
RETURNING (SELECT job_seq FROM rayapp.first_load WHERE dataset = $3) AS first_load,
          (SELECT stopped_at IS NOT NULL FROM rayapp.ingest_job WHERE seq = $1) AS stopped;

-- name: job_id
SELECT id FROM rayapp.ingest_job WHERE seq = $1;

-- name: quarantine
INSERT INTO rayapp.quarantine (job_seq, chunk, line, column_name, value, reason, file)
SELECT $1, $2, bad.line, bad.column_name, bad.value, bad.reason, $7
FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[]) AS bad (line, column_name, value, reason)
ON CONFLICT DO NOTHING;

-- name: count_chunk
UPDATE rayapp.ingest_chunk
SET rows = $3, inserted = $4, updated = $5, superseded = $6, repeated = $7, quarantined = $8, committed_at = clock_timestamp()
WHERE job_seq = $1 AND number = $2;

-- name: refused_chunks
SELECT number FROM rayapp.ingest_chunk WHERE job_seq = $1 AND quarantined > 0;

-- name: first_load_of
SELECT job.id FROM rayapp.first_load JOIN rayapp.ingest_job job ON job.seq = job_seq WHERE first_load.dataset = $1;

-- name: hold_chunk
SELECT number FROM rayapp.ingest_chunk WHERE job_seq = $1 AND number = $2 FOR UPDATE;

-- name: refused_lines
SELECT DISTINCT file, line FROM rayapp.quarantine WHERE job_seq = $1 AND chunk = $2;

-- name: forget_refused
DELETE FROM rayapp.quarantine WHERE job_seq = $1 AND chunk = $2;

-- name: count_mended
-- $3: rows that are not refused any more; $4 of them are new, $5 replaced others, the rest came too late. The load counts as finished now,
-- since its pack has decided rows now.
WITH told AS (
    UPDATE rayapp.ingest_job SET mended = mended + 1, finished_at = CASE WHEN finished_at IS NULL THEN NULL ELSE now() END WHERE seq = $1
)
UPDATE rayapp.ingest_chunk
SET quarantined = quarantined - $3, inserted = inserted + $4, updated = updated + $5, superseded = superseded + $3 - $4 - $5
WHERE job_seq = $1 AND number = $2;
