-- name: alone
-- One at a time, whoever it is; given up with the connection.
SELECT pg_try_advisory_lock(hashtext('rayapp.retention'));

-- name: forget_jobs
-- $1: days. $2: how many at most. A job that another is a retry or a part of is kept as long as that one.
DELETE FROM rayapp.job
WHERE id IN (
    SELECT id FROM rayapp.job old
    WHERE finished_at < now() - make_interval(days => $1)
      AND NOT EXISTS (SELECT FROM rayapp.job other WHERE other.retry_of = old.id)
      AND NOT EXISTS (SELECT FROM rayapp.job other WHERE other.parent = old.id)
    ORDER BY finished_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
);

-- name: old_jobs
-- How many of them there are.
WITH RECURSIVE kept AS (
    SELECT id, retry_of, parent FROM rayapp.job WHERE coalesce(finished_at, 'infinity') >= now() - make_interval(days => $1)
    UNION
    SELECT job.id, job.retry_of, job.parent FROM rayapp.job JOIN kept ON job.id = kept.retry_of OR job.id = kept.parent
)
SELECT (SELECT count(*) FROM rayapp.job) - (SELECT count(*) FROM kept);

-- name: forget_results
-- $1: days. $2: runs at most. A run is kept as long as any job that goes on with it.
WITH ended AS (
    SELECT run.job FROM rayapp.classify_run run
    WHERE EXISTS (SELECT FROM rayapp.result_part part WHERE part.run = run.job AND NOT part.forgotten)
      AND NOT EXISTS (
        WITH RECURSIVE chain AS (
            SELECT id, finished_at FROM rayapp.job WHERE id = run.job
            UNION
            SELECT job.id, job.finished_at FROM rayapp.job JOIN chain ON job.retry_of = chain.id
        )
        SELECT FROM chain WHERE coalesce(finished_at, 'infinity') >= now() - make_interval(days => $1)
      )
    LIMIT $2
)
UPDATE rayapp.result_part part SET forgotten = true FROM ended WHERE part.run = ended.job AND NOT part.forgotten;

-- name: wanted_results
-- Of jobs whose folders of result files there are, those whose files are wanted: the job is not finished, or has parts that are kept.
SELECT asked.job FROM unnest($1::uuid[]) AS asked (job)
WHERE EXISTS (SELECT FROM rayapp.job WHERE job.id = asked.job AND job.finished_at IS NULL)
   OR EXISTS (SELECT FROM rayapp.result_part part WHERE part.job = asked.job AND NOT part.forgotten);

-- name: wanted_uploads
-- $1: names of files. $2: days after its end for which a job's source is kept; null for as long as the job.
SELECT DISTINCT regexp_replace(request ->> 'source', '^.*/', '') AS name FROM rayapp.job
WHERE regexp_replace(request ->> 'source', '^.*/', '') = ANY ($1)
  AND ($2::integer IS NULL OR coalesce(finished_at, 'infinity') >= now() - make_interval(days => $2))
UNION
SELECT regexp_replace(request ->> 'source', '^.*/', '') FROM rayapp.schedule
WHERE regexp_replace(request ->> 'source', '^.*/', '') = ANY ($1);

-- name: forget_planned
-- $1: days. $2: how many at most. Of plans that were carried out, or never can be since data moved; their reports stay.
DELETE FROM rayapp.planned_decision
WHERE ctid = ANY (ARRAY(
    SELECT planned.ctid FROM rayapp.plan JOIN rayapp.planned_decision planned ON planned.plan_id = plan.id
    WHERE coalesce(plan.finished_at, plan.begun_at) < now() - make_interval(days => $1)
      AND (plan.changeset_id IS NOT NULL OR plan.state <> rayapp.data_state())
    LIMIT $2
));

-- name: forget_changesets
-- $1: days. With the lock that who takes a changeset back has for itself. People's corrections can be taken back for ever.
UPDATE rayapp.changeset SET forgotten_at = now()
WHERE kind <> 'correction' AND forgotten_at IS NULL AND finished_at < now() - make_interval(days => $1);

-- name: share
SELECT pg_advisory_xact_lock_shared(hashtext('rayapp.decisions'));

-- name: forget_history
-- $1: how many rows at most.
DELETE FROM rayapp.decision_history
WHERE ctid = ANY (ARRAY(
    SELECT history.ctid FROM rayapp.changeset JOIN rayapp.decision_history history ON history.changeset_id = changeset.id
    WHERE changeset.forgotten_at IS NOT NULL
    LIMIT $1
));

-- name: forget_answers
-- $1: hours.
DELETE FROM rayapp.given_answer WHERE given_at < now() - make_interval(hours => $1);

-- name: old_results
SELECT count(*) FROM rayapp.result_part part
WHERE NOT part.forgotten AND NOT EXISTS (
    WITH RECURSIVE chain AS (
        SELECT id, finished_at FROM rayapp.job WHERE id = part.run
        UNION
        SELECT job.id, job.finished_at FROM rayapp.job JOIN chain ON job.retry_of = chain.id
    )
    SELECT FROM chain WHERE coalesce(finished_at, 'infinity') >= now() - make_interval(days => $1)
);

-- name: old_planned
SELECT count(*) FROM rayapp.plan JOIN rayapp.planned_decision planned ON planned.plan_id = plan.id
WHERE coalesce(plan.finished_at, plan.begun_at) < now() - make_interval(days => $1)
  AND (plan.changeset_id IS NOT NULL OR plan.state <> rayapp.data_state());

-- name: old_history
SELECT count(*) FROM rayapp.changeset JOIN rayapp.decision_history history ON history.changeset_id = changeset.id
WHERE kind <> 'correction' AND finished_at < now() - make_interval(days => $1);

-- name: old_answers
SELECT count(*) FROM rayapp.given_answer WHERE given_at < now() - make_interval(hours => $1);
