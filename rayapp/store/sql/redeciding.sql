-- name: between_reverts
-- Waits until no plan is carried out and no changeset is taken back.
SELECT pg_advisory_xact_lock_shared(hashtext('rayapp.decisions'));

-- name: count_deciders
-- One statement, so that the count and the ledgers are of one moment.
WITH used AS (SELECT pack_id, count(*) AS rows FROM rayapp.decision GROUP BY pack_id)
INSERT INTO rayapp.deciders AS known (packs, rows, jobs, changes, counted_at)
SELECT coalesce(array_agg(pack_id ORDER BY pack_id), '{}'), coalesce(array_agg(used.rows ORDER BY pack_id), '{}'),
       (SELECT coalesce(max(seq), 0) FROM rayapp.ingest_job), (SELECT coalesce(max(id), 0) FROM rayapp.changeset), now()
FROM used
ON CONFLICT (one) DO UPDATE
SET packs = excluded.packs, rows = excluded.rows, jobs = excluded.jobs, changes = excluded.changes, counted_at = excluded.counted_at;

-- name: deciders
-- The packs by which rows were decided at the last count.
SELECT pack.id, pack.digest, pack.name, used.rows
FROM rayapp.deciders, unnest(packs, rows) AS used (pack_id, rows) JOIN rayapp.pack ON pack.id = used.pack_id
ORDER BY pack.id;

-- name: deciders_since
-- The same and those that may have decided rows since; nothing where only a count can tell: before the first, and after a revert, which
-- brings back packs of any time. A load or a reclassification that was not finished at the count, or was not long before, is in it too.
SELECT pack.id, pack.digest, pack.name, coalesce(sum(used.rows), 0)::bigint AS rows
FROM (
    SELECT counted.pack_id, counted.rows FROM rayapp.deciders, unnest(packs, rows) AS counted (pack_id, rows)
    UNION ALL
    SELECT job.pack_id, 0 FROM rayapp.ingest_job job, rayapp.deciders
    WHERE job.seq > jobs OR coalesce(job.finished_at, 'infinity') > counted_at - interval '1 hour'
    UNION ALL
    SELECT change.pack_id, 0 FROM rayapp.changeset change, rayapp.deciders
    WHERE change.id > changes OR coalesce(change.finished_at, 'infinity') > counted_at - interval '1 hour'
) used
JOIN rayapp.pack ON pack.id = used.pack_id
WHERE NOT EXISTS (SELECT FROM rayapp.changeset, rayapp.deciders WHERE kind = 'revert' AND id > changes)
GROUP BY pack.id
ORDER BY pack.id;

-- name: loads
SELECT concat_ws('.', (SELECT coalesce(max(seq), 0) FROM rayapp.ingest_job), (SELECT count(*) FROM rayapp.ingest_chunk),
                 (SELECT coalesce(sum(mended), 0) FROM rayapp.ingest_job));

-- name: unviewed
-- Versions below this were loaded before clean views were stored; 0 where there are none.
SELECT (coalesce(max(job.seq) + 1, 0)) << 40
FROM rayapp.ingest_job job JOIN rayapp.migration ON migration.number = 2
WHERE job.started_at < migration.applied_at;

-- name: pack_id
SELECT id FROM rayapp.pack WHERE digest = $1;

-- name: blocks
SELECT (pg_relation_size('rayapp.transaction') / current_setting('block_size')::bigint)::integer;

-- name: close_outdated
-- Rows have moved since: what is left of it begins anew.
UPDATE rayapp.changeset SET finished_at = now()
WHERE kind = 'reclassify' AND finished_at IS NULL AND pack_id = $1 AND whole = $2 AND loads <> $3;

-- name: open
-- The empty update gives back the row of a reclassification that broke off.
INSERT INTO rayapp.changeset AS open (kind, pack_id, whole, blocks, step, loads, made_by, reason)
VALUES ('reclassify', $1, $2, $4, $5, $3, $6, $7)
ON CONFLICT (pack_id, whole) WHERE kind = 'reclassify' AND finished_at IS NULL DO UPDATE SET loads = excluded.loads
RETURNING id, pack_id, whole, blocks, step, xmax = 0 AS is_new;

-- name: done_ranges
SELECT number FROM rayapp.changeset_range WHERE changeset_id = $1;

-- name: share
-- Many may decide at once; a plan is carried out alone.
SELECT pg_advisory_xact_lock_shared(hashtext('rayapp.decisions'));

-- name: claim_range
-- First in its transaction: who claims the same range meanwhile waits here until this one is committed or gone.
INSERT INTO rayapp.changeset_range (changeset_id, number) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1;

-- name: count_range
UPDATE rayapp.changeset_range SET decided = $3, changed = $4, unreadable = $5, committed_at = clock_timestamp()
WHERE changeset_id = $1 AND number = $2;

-- name: create_redecided
CREATE TEMP TABLE redecided (
    id text COLLATE "C", changed boolean, version bigint, status text, merchant_name text, merchant_id text, processor text,
    category_primary text, category_detailed text, score double precision, confidence double precision, level text,
    merchant_score double precision, semantic_score double precision, rule_score double precision, alias_id text, rule_ids text[]
) ON COMMIT DROP;

-- name: keep_history
INSERT INTO rayapp.decision_history (changeset_id, transaction_id, before, after, was_locked, version)
SELECT $1, d.transaction_id, rayapp.verdict_of(d),
       ROW(n.status, n.merchant_name, n.merchant_id, n.processor, n.category_primary, n.category_detailed, n.score, n.confidence, n.level,
           n.merchant_score, n.semantic_score, n.rule_score, n.alias_id, n.rule_ids, $2)::rayapp.verdict, d.locked, n.version
FROM redecided n JOIN rayapp.decision d ON d.transaction_id = n.id
WHERE n.changed;

-- name: write_changed
-- In the order of ids, as all writers go, so that none can wait for another in a ring.
UPDATE rayapp.decision d
SET status = n.status, merchant_name = n.merchant_name, merchant_id = n.merchant_id, processor = n.processor,
    category_primary = n.category_primary, category_detailed = n.category_detailed, score = n.score, confidence = n.confidence,
    level = n.level, merchant_score = n.merchant_score, semantic_score = n.semantic_score, rule_score = n.rule_score,
    alias_id = n.alias_id, rule_ids = n.rule_ids, pack_id = $1, version = n.version, decided_at = now()
FROM (SELECT * FROM redecided WHERE changed ORDER BY id) n
WHERE d.transaction_id = n.id;

-- name: write_unchanged
UPDATE rayapp.decision d
SET pack_id = $1, version = n.version, decided_at = now()
FROM (SELECT id, version FROM redecided WHERE NOT changed ORDER BY id) n
WHERE d.transaction_id = n.id;

-- name: write_planned
-- Of rows that a person locked those that would get another category.
INSERT INTO rayapp.planned_decision (plan_id, transaction_id, before, after, locked, version)
SELECT $1, d.transaction_id, rayapp.verdict_of(d),
       ROW(n.status, n.merchant_name, n.merchant_id, n.processor, n.category_primary, n.category_detailed, n.score, n.confidence, n.level,
           n.merchant_score, n.semantic_score, n.rule_score, n.alias_id, n.rule_ids, $2)::rayapp.verdict, d.locked, n.version
FROM redecided n JOIN rayapp.decision d ON d.transaction_id = n.id
WHERE n.changed AND (NOT d.locked OR d.category_detailed IS DISTINCT FROM n.category_detailed);

-- name: finish
UPDATE rayapp.changeset
SET finished_at = coalesce(finished_at, now()),
    changed = (SELECT coalesce(sum(changed), 0) FROM rayapp.changeset_range WHERE changeset_id = $1)
WHERE id = $1;

-- name: progress
SELECT c.id, pack.digest AS pack, c.whole, (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'rayapp.transaction'::regclass) AS rows,
       (c.blocks + c.step - 1) / c.step AS ranges, count(r.number)::integer AS ranges_done,
       coalesce(sum(r.decided), 0)::bigint AS decided, coalesce(sum(r.changed), 0)::bigint AS changed,
       coalesce(sum(r.unreadable), 0)::bigint AS unreadable, c.begun_at, c.finished_at
FROM rayapp.changeset c
JOIN rayapp.pack ON pack.id = c.pack_id
LEFT JOIN rayapp.changeset_range r ON r.changeset_id = c.id
WHERE c.id = $1
GROUP BY c.id, pack.digest;

-- name: first_load
SELECT to_regclass('rayapp.first_load') IS NOT NULL;

-- name: in_first_load
SELECT true FROM rayapp.first_load WHERE dataset = 'transactions';
