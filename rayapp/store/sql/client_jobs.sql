-- name: live
-- Jobs of a creator that are not finished, counted up to $2.
SELECT count(*) FROM (
    SELECT FROM rayapp.job WHERE created_by = $1 AND state IN ('queued', 'running') LIMIT $2
) AS found;

-- name: pace
-- Seconds between the ends of a creator's jobs, by those of the last hour among its last hundred; null when none ended.
SELECT (extract(epoch FROM now() - min(finished_at)) / count(*))::double precision
FROM (SELECT finished_at FROM rayapp.job WHERE created_by = $1 ORDER BY seq DESC LIMIT 100) AS last
WHERE finished_at > now() - interval '1 hour';
