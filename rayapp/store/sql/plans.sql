-- name: begin
INSERT INTO rayapp.plan (pack_id, active_pack_id, state, whole, made_by, reason, override)
SELECT pack.id, (SELECT id FROM rayapp.pack WHERE digest = $2), rayapp.data_state(), $3, $4, $5, $6
FROM rayapp.pack WHERE digest = $1
RETURNING id;

-- name: state
SELECT rayapp.data_state();

-- name: finish
UPDATE rayapp.plan SET report = $2::jsonb, finished_at = now() WHERE id = $1;

-- name: drop
DELETE FROM rayapp.plan WHERE id = $1;

-- name: plan
SELECT plan.id, pack.digest AS pack, pack.name, active.digest AS active, plan.state, plan.whole, plan.made_by, plan.reason, plan.override,
       plan.report::text AS report, plan.begun_at, plan.finished_at, plan.changeset_id
FROM rayapp.plan
JOIN rayapp.pack ON pack.id = plan.pack_id
LEFT JOIN rayapp.pack active ON active.id = plan.active_pack_id
WHERE plan.id = $1;

-- name: transitions
SELECT (p.before).category_detailed AS before, (p.after).category_detailed AS after, coalesce(t.currency, '') AS currency,
       count(*) AS rows, coalesce(sum(abs(t.amount)), 0)::text AS amount
FROM rayapp.planned_decision p JOIN rayapp.transaction t ON t.id = p.transaction_id
WHERE p.plan_id = $1 AND NOT p.locked
GROUP BY 1, 2, 3
ORDER BY rows DESC, 1, 2, 3;

-- name: kinds
-- What changed where the category did not.
SELECT count(*) FILTER (WHERE (before).category_detailed IS DISTINCT FROM (after).category_detailed) AS category,
       count(*) FILTER (WHERE (before).category_detailed IS NOT DISTINCT FROM (after).category_detailed
                          AND (before).merchant_name IS DISTINCT FROM (after).merchant_name) AS merchant,
       count(*) FILTER (WHERE (before).category_detailed IS NOT DISTINCT FROM (after).category_detailed
                          AND (before).merchant_name IS NOT DISTINCT FROM (after).merchant_name) AS other
FROM rayapp.planned_decision WHERE plan_id = $1 AND NOT locked;

-- name: levels
SELECT (before).level AS before, (after).level AS after, count(*) AS rows
FROM rayapp.planned_decision
WHERE plan_id = $1 AND NOT locked AND (before).level IS DISTINCT FROM (after).level
GROUP BY 1, 2
ORDER BY rows DESC, 1, 2;

-- name: rules
WITH lost AS (
    SELECT rule, p.transaction_id FROM rayapp.planned_decision p, unnest((p.before).rule_ids) AS rule WHERE p.plan_id = $1 AND NOT p.locked
), gained AS (
    SELECT rule, p.transaction_id FROM rayapp.planned_decision p, unnest((p.after).rule_ids) AS rule WHERE p.plan_id = $1 AND NOT p.locked
)
SELECT coalesce(lost.rule, gained.rule) AS rule, count(*) FILTER (WHERE lost.rule IS NULL) AS gained,
       count(*) FILTER (WHERE gained.rule IS NULL) AS lost
FROM lost FULL JOIN gained ON gained.rule = lost.rule AND gained.transaction_id = lost.transaction_id
GROUP BY 1
HAVING count(*) FILTER (WHERE lost.rule IS NULL OR gained.rule IS NULL) > 0
ORDER BY count(*) FILTER (WHERE lost.rule IS NULL OR gained.rule IS NULL) DESC, 1;

-- name: names
SELECT coalesce((before).alias_id, '') AS before, coalesce((after).alias_id, '') AS after, count(*) AS rows
FROM rayapp.planned_decision
WHERE plan_id = $1 AND NOT locked AND (before).alias_id IS DISTINCT FROM (after).alias_id
GROUP BY 1, 2
ORDER BY rows DESC, 1, 2
LIMIT $2;

-- name: samples
-- $2: how many of each transition.
SELECT t.id, t.descriptor, t.amount::text AS amount, t.currency, (s.before).category_detailed AS before, (s.after).category_detailed AS after,
       (s.before).merchant_name AS merchant_before, (s.after).merchant_name AS merchant_after, (s.before).confidence AS confidence_before,
       (s.after).confidence AS confidence_after, s.locked
FROM (
    SELECT p.*, row_number() OVER (PARTITION BY locked, (before).category_detailed, (after).category_detailed ORDER BY transaction_id) AS place,
           count(*) OVER (PARTITION BY locked, (before).category_detailed, (after).category_detailed) AS rows
    FROM rayapp.planned_decision p WHERE p.plan_id = $1 AND p.locked = $3
) s
JOIN rayapp.transaction t ON t.id = s.transaction_id
WHERE s.place <= $2
ORDER BY s.rows DESC, 5, 6, t.id
LIMIT 200;

-- name: locked
SELECT count(*) FROM rayapp.planned_decision WHERE plan_id = $1 AND locked;

-- name: lock
SELECT pg_advisory_xact_lock(hashtext('rayapp.decisions'));

-- name: moved_rows
-- Planned rows that are not as the plan found them.
SELECT p.transaction_id
FROM rayapp.planned_decision p LEFT JOIN rayapp.decision d ON d.transaction_id = p.transaction_id
WHERE p.plan_id = $1 AND NOT p.locked
  AND (d.transaction_id IS NULL OR d.locked OR d.version <> p.version OR rayapp.verdict_of(d) IS DISTINCT FROM p.before)
LIMIT 10;

-- name: planned_rows
SELECT count(*) FROM rayapp.planned_decision WHERE plan_id = $1 AND NOT locked;

-- name: open_apply
INSERT INTO rayapp.changeset (kind, pack_id, former_pack_id, whole, plan_id, made_by, reason)
SELECT 'apply', pack_id, active_pack_id, whole, id, $2, $3 FROM rayapp.plan WHERE id = $1
RETURNING id;

-- name: keep_planned
INSERT INTO rayapp.decision_history (changeset_id, transaction_id, before, after, was_locked, version)
SELECT $2, transaction_id, before, after, false, version FROM rayapp.planned_decision WHERE plan_id = $1 AND NOT locked;

-- name: write_planned
UPDATE rayapp.decision d
SET status = (p.after).status, merchant_name = (p.after).merchant_name, merchant_id = (p.after).merchant_id,
    processor = (p.after).processor, category_primary = (p.after).category_primary, category_detailed = (p.after).category_detailed,
    score = (p.after).score, confidence = (p.after).confidence, level = (p.after).level, merchant_score = (p.after).merchant_score,
    semantic_score = (p.after).semantic_score, rule_score = (p.after).rule_score, alias_id = (p.after).alias_id,
    rule_ids = (p.after).rule_ids, pack_id = (p.after).pack_id, decided_at = now()
FROM (SELECT * FROM rayapp.planned_decision WHERE plan_id = $1 AND NOT locked ORDER BY transaction_id) p
WHERE d.transaction_id = p.transaction_id AND NOT d.locked AND d.version = p.version AND rayapp.verdict_of(d) IS NOT DISTINCT FROM p.before;

-- name: close_apply
WITH done AS (UPDATE rayapp.changeset SET finished_at = now(), changed = $3 WHERE id = $2)
UPDATE rayapp.plan SET changeset_id = $2 WHERE id = $1;

-- name: changeset
SELECT c.id, c.kind, pack.digest AS pack, former.digest AS former_pack, c.plan_id, c.reverts, c.made_by, c.reason, c.changed, c.begun_at,
       c.finished_at, c.forgotten_at, (SELECT r.id FROM rayapp.changeset r WHERE r.reverts = c.id) AS reverted_by
FROM rayapp.changeset c
JOIN rayapp.pack ON pack.id = c.pack_id
LEFT JOIN rayapp.pack former ON former.id = c.former_pack_id
WHERE c.id = $1;

-- name: changesets
SELECT c.id, c.kind, pack.digest AS pack, former.digest AS former_pack, c.plan_id, c.reverts, c.made_by, c.reason, c.changed, c.begun_at,
       c.finished_at, c.forgotten_at, (SELECT r.id FROM rayapp.changeset r WHERE r.reverts = c.id) AS reverted_by
FROM rayapp.changeset c
JOIN rayapp.pack ON pack.id = c.pack_id
LEFT JOIN rayapp.pack former ON former.id = c.former_pack_id
ORDER BY c.id DESC
LIMIT $1;

-- name: open_revert
INSERT INTO rayapp.changeset (kind, pack_id, former_pack_id, reverts, made_by, reason)
SELECT 'revert', coalesce(former_pack_id, pack_id), pack_id, id, $2, $3 FROM rayapp.changeset WHERE id = $1
RETURNING id;

-- name: edited_rows
-- What is no longer as the changeset left it, and why.
SELECT h.transaction_id,
       CASE WHEN d.transaction_id IS NULL THEN 'is no longer stored'
            WHEN d.version <> h.version THEN 'was loaded again'
            WHEN d.locked AND c.kind <> 'correction' THEN 'was corrected by a person'
            ELSE 'was decided again' END AS why
FROM rayapp.decision_history h
JOIN rayapp.changeset c ON c.id = h.changeset_id
LEFT JOIN rayapp.decision d ON d.transaction_id = h.transaction_id
WHERE h.changeset_id = $1
  AND (d.transaction_id IS NULL OR d.version <> h.version OR d.locked <> (c.kind = 'correction')
       OR rayapp.verdict_of(d) IS DISTINCT FROM h.after)
ORDER BY h.transaction_id;

-- name: keep_reverted
INSERT INTO rayapp.decision_history (changeset_id, transaction_id, before, after, was_locked, version)
SELECT $2, h.transaction_id, h.after, h.before, d.locked, h.version
FROM rayapp.decision_history h
JOIN rayapp.changeset c ON c.id = h.changeset_id
JOIN rayapp.decision d ON d.transaction_id = h.transaction_id
WHERE h.changeset_id = $1 AND d.version = h.version AND d.locked = (c.kind = 'correction') AND rayapp.verdict_of(d) IS NOT DISTINCT FROM h.after;

-- name: write_reverted
UPDATE rayapp.decision d
SET status = (p.after).status, merchant_name = (p.after).merchant_name, merchant_id = (p.after).merchant_id,
    processor = (p.after).processor, category_primary = (p.after).category_primary, category_detailed = (p.after).category_detailed,
    score = (p.after).score, confidence = (p.after).confidence, level = (p.after).level, merchant_score = (p.after).merchant_score,
    semantic_score = (p.after).semantic_score, rule_score = (p.after).rule_score, alias_id = (p.after).alias_id,
    rule_ids = (p.after).rule_ids, pack_id = (p.after).pack_id, decided_at = now(), locked = p.locked
FROM (
    SELECT r.transaction_id, r.before, r.after, r.version, h.was_locked AS locked
    FROM rayapp.decision_history r JOIN rayapp.decision_history h ON h.transaction_id = r.transaction_id AND h.changeset_id = $1
    WHERE r.changeset_id = $2
    ORDER BY r.transaction_id
) p
WHERE d.transaction_id = p.transaction_id AND d.version = p.version AND rayapp.verdict_of(d) IS NOT DISTINCT FROM p.before;

-- name: withdraw
UPDATE rayapp.correction SET withdrawn_at = now() WHERE changeset_id = $1 AND withdrawn_at IS NULL;

-- name: close_changeset
UPDATE rayapp.changeset SET finished_at = now(), changed = $2 WHERE id = $1;

-- name: history
SELECT c.id AS changeset, c.kind, c.made_by, c.reason, c.begun_at AS at, before_pack.digest AS pack_before, after_pack.digest AS pack_after,
       (h.before).category_detailed AS category_before, (h.after).category_detailed AS category_after,
       (h.before).merchant_name AS merchant_before, (h.after).merchant_name AS merchant_after,
       (h.before).confidence AS confidence_before, (h.after).confidence AS confidence_after,
       (h.before).rule_ids AS rules_before, (h.after).rule_ids AS rules_after,
       (h.before).alias_id AS alias_before, (h.after).alias_id AS alias_after
FROM rayapp.decision_history h
JOIN rayapp.changeset c ON c.id = h.changeset_id
LEFT JOIN rayapp.pack before_pack ON before_pack.id = (h.before).pack_id
LEFT JOIN rayapp.pack after_pack ON after_pack.id = (h.after).pack_id
WHERE h.transaction_id = $1
ORDER BY c.id;

-- name: is_decided
SELECT true FROM rayapp.decision WHERE transaction_id = $1;
