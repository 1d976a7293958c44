-- name: enqueue
-- Gives nothing when a live job has the unique key or a job of this creator has the idempotency key.
INSERT INTO rayapp.job
    (kind, request, priority, created_by, idempotency_key, unique_key, pack, parent, retry_of, schedule, max_attempts, run_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, coalesce($12, now()))
ON CONFLICT DO NOTHING
RETURNING *;

-- name: begun
-- A job that is begun by who asks for it: never queued, so no worker can take it.
INSERT INTO rayapp.job
    (kind, request, priority, created_by, idempotency_key, unique_key, pack, parent, retry_of, schedule, max_attempts,
     state, attempts, worker, lease_until, heartbeat_at, started_at, attempt_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'running', 1, $12, now() + make_interval(secs => $13), now(), now(), now())
ON CONFLICT DO NOTHING
RETURNING *;

-- name: same
SELECT * FROM rayapp.job
WHERE (unique_key = $1 AND state IN ('queued', 'running')) OR (created_by = $2 AND idempotency_key = $3)
ORDER BY seq
LIMIT 1;

-- name: claim
-- $1: kinds. $2: worker. $3: length of the lease in seconds. $4: how many. $5: jobs to leave to others.
WITH next AS (
    SELECT id FROM rayapp.job
    WHERE state = 'queued' AND run_at <= now() AND kind = ANY ($1) AND id <> ALL ($5)
    ORDER BY priority DESC, run_at, seq
    LIMIT $4
    FOR UPDATE SKIP LOCKED
)
UPDATE rayapp.job
SET state = 'running', attempts = attempts + 1, worker = $2, ray_job = NULL, lease_until = now() + make_interval(secs => $3),
    heartbeat_at = now(), started_at = coalesce(started_at, now()), attempt_at = now(), rows_at_attempt = rows_done
FROM next
WHERE job.id = next.id
RETURNING job.*;

-- name: claim_job
UPDATE rayapp.job
SET state = 'running', attempts = attempts + 1, worker = $2, ray_job = NULL, lease_until = now() + make_interval(secs => $3),
    heartbeat_at = now(), started_at = coalesce(started_at, now()), attempt_at = now(), rows_at_attempt = rows_done
WHERE id = $1 AND state = 'queued'
RETURNING *;

-- name: heartbeat
-- $3: length of the lease in seconds. Gives nothing to who has lost the job, else whether it shall stop.
UPDATE rayapp.job
SET lease_until = now() + make_interval(secs => $3), heartbeat_at = now()
WHERE id = $1 AND attempts = $2 AND state = 'running'
RETURNING cancel_requested_at IS NOT NULL;

-- name: progress
-- What is not known stays as it is.
UPDATE rayapp.job
SET lease_until = now() + make_interval(secs => $3), heartbeat_at = now(),
    rows_total = coalesce($4, rows_total), rows_done = $5, rows_failed = $6, pack = coalesce($7, pack),
    rows_at_attempt = coalesce($8, rows_at_attempt),
    misses = CASE WHEN $5 > rows_done THEN 0 ELSE misses END
WHERE id = $1 AND attempts = $2 AND state = 'running'
RETURNING cancel_requested_at IS NOT NULL;

-- name: runs_as
UPDATE rayapp.job SET ray_job = $3 WHERE id = $1 AND attempts = $2 AND state = 'running' RETURNING true;

-- name: takes_over
UPDATE rayapp.job SET worker = $3 WHERE id = $1 AND attempts = $2 AND state = 'running' RETURNING *;

-- name: expired
SELECT * FROM rayapp.job WHERE state = 'running' AND lease_until < now() ORDER BY lease_until LIMIT $1 FOR UPDATE SKIP LOCKED;

-- name: held
SELECT * FROM rayapp.job WHERE id = $1 AND attempts = $2 AND state = 'running' FOR UPDATE;

-- name: end_attempt
-- $3: the next state. $4: seconds until it may be tried again. $5: failure. $6: result. $7: misses.
UPDATE rayapp.job
SET state = $3, lease_until = NULL, run_at = CASE WHEN $3 = 'queued' THEN now() + make_interval(secs => $4) ELSE run_at END,
    failure = $5, result = coalesce($6, result), misses = $7,
    finished_at = CASE WHEN $3 = 'queued' THEN NULL ELSE now() END
WHERE id = $1 AND attempts = $2 AND state = 'running'
RETURNING *;

-- name: cancel
-- A queued job is cancelled at once; a running one is asked to stop, and its lease runs out if it does not.
UPDATE rayapp.job
SET state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
    finished_at = CASE state WHEN 'queued' THEN now() END,
    cancel_requested_at = coalesce(cancel_requested_at, now())
WHERE id = $1 AND state IN ('queued', 'running')
RETURNING *;

-- name: announce
SELECT pg_notify('rayapp_job', $1);

-- name: job
SELECT * FROM rayapp.job WHERE id = $1;

-- name: named
SELECT * FROM rayapp.job WHERE id::text LIKE $1 || '%' ORDER BY seq LIMIT 2;

-- name: list
-- $1: states, $2: kinds, $3: creator, each null for any; $4: seq below which, null for the newest; $5: how many.
SELECT * FROM rayapp.job
WHERE ($1::text[] IS NULL OR state = ANY ($1)) AND ($2::text[] IS NULL OR kind = ANY ($2)) AND ($3::text IS NULL OR created_by = $3)
  AND ($4::bigint IS NULL OR seq < $4)
ORDER BY seq DESC
LIMIT $5;

-- name: ahead
-- How many jobs are claimed before this one, were one to be claimed now.
SELECT (SELECT count(*) FROM rayapp.job other
        WHERE other.state = 'queued' AND other.run_at <= now()
          AND (-other.priority, other.run_at, other.seq) < (-job.priority, job.run_at, job.seq))
FROM rayapp.job
WHERE id = $1 AND state = 'queued' AND run_at <= now();

-- name: next_start
-- Seconds until a job that waits for its time may be begun.
SELECT extract(epoch FROM min(run_at) - now())::float8 FROM rayapp.job WHERE state = 'queued' AND kind = ANY ($1);

-- name: counts
SELECT state, count(*)::integer AS jobs FROM rayapp.job GROUP BY state ORDER BY state;
