-- name: add
-- next_at is reckoned by the program, from the clock of the database.
INSERT INTO rayapp.schedule (name, cron, timezone, kind, request, priority, max_attempts, enabled, next_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, true, $8, $9)
ON CONFLICT (name) DO NOTHING
RETURNING *;

-- name: remove
DELETE FROM rayapp.schedule WHERE name = $1 RETURNING name;

-- name: enable
UPDATE rayapp.schedule SET enabled = $2, next_at = $3 WHERE name = $1 RETURNING *;

-- name: schedule
SELECT * FROM rayapp.schedule WHERE name = $1;

-- name: list
SELECT * FROM rayapp.schedule ORDER BY name;

-- name: clock
SELECT now();

-- name: due
SELECT *, now() AS clock FROM rayapp.schedule WHERE enabled AND next_at <= now() ORDER BY next_at LIMIT $1;

-- name: move_on
-- $2: the time that is due. Who finds it still there makes the job.
UPDATE rayapp.schedule
SET next_at = $3, fired_at = $2
WHERE name = $1 AND enabled AND next_at = $2
RETURNING *;

-- name: busy
SELECT EXISTS (SELECT FROM rayapp.job WHERE schedule = $1 AND state IN ('queued', 'running'));

-- name: skip
UPDATE rayapp.schedule SET skipped = skipped + 1 WHERE name = $1;

-- name: next_due
SELECT extract(epoch FROM min(next_at) - now())::float8 FROM rayapp.schedule WHERE enabled;
