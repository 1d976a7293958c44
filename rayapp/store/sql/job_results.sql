-- name: root
-- The job that began what this one goes on with: the first that was retried.
WITH RECURSIVE chain AS (
    SELECT id, retry_of FROM rayapp.job WHERE id = $1
    UNION ALL
    SELECT former.id, former.retry_of FROM rayapp.job former JOIN chain ON former.id = chain.retry_of
)
SELECT id FROM chain WHERE retry_of IS NULL;

-- name: run
SELECT job, pack, digest, tier, rows FROM rayapp.classify_run WHERE job = $1;

-- name: begin
INSERT INTO rayapp.classify_run (job, pack, digest, tier, rows) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (job) DO NOTHING;

-- name: done
-- $2: the job that asks. What another job had to reject is tried again.
SELECT number, rows, rejected FROM rayapp.result_part WHERE run = $1 AND NOT forgotten AND (rejected = 0 OR job = $2);

-- name: write
INSERT INTO rayapp.result_part (run, number, job, last_row, rows, rejected, file)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (run, number) DO UPDATE
SET job = excluded.job, last_row = excluded.last_row, rows = excluded.rows, rejected = excluded.rejected, file = excluded.file, written_at = now(),
    forgotten = false
WHERE result_part.job <> excluded.job OR result_part.forgotten;

-- name: counts
SELECT coalesce(sum(rows), 0)::bigint AS rows, coalesce(sum(rejected), 0)::bigint AS rejected FROM rayapp.result_part WHERE run = $1;

-- name: page
-- $2: the row after which. $3: rows that are wanted; gives the parts that hold them, and one that may be partly of no use at either end.
SELECT number, last_row, rows, rejected, file
FROM (
    SELECT *, coalesce(sum(rows) OVER (ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
              - first_value(rows) OVER (ORDER BY number) AS before
    FROM (SELECT * FROM rayapp.result_part WHERE run = $1 AND last_row > $2 ORDER BY number LIMIT $3 + 2) near
) counted
WHERE before < $3
ORDER BY number;
