-- name: row
SELECT t.id, t.descriptor, t.amount::text AS amount, t.currency, t.direction, t.mcc, t.country, t.booked_at::text AS booked_at, t.version,
       d.category_primary, d.category_detailed, d.merchant_name, d.merchant_id, d.pack_id, d.locked, pack.digest AS pack
FROM rayapp.transaction t
JOIN rayapp.decision d ON d.transaction_id = t.id
JOIN rayapp.pack ON pack.id = d.pack_id
WHERE t.id = $1
FOR UPDATE OF d;

-- name: open
INSERT INTO rayapp.changeset (kind, pack_id, made_by, reason, changed, finished_at) VALUES ('correction', $1, $2, $3, 1, now()) RETURNING id;

-- name: record
INSERT INTO rayapp.correction (changeset_id, transaction_id, category_primary, category_detailed, merchant_name, regression, made_by, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING id;

-- name: keep
INSERT INTO rayapp.decision_history (changeset_id, transaction_id, before, after, was_locked, version)
SELECT $1, d.transaction_id, rayapp.verdict_of(d),
       ROW('classified', coalesce($5, d.merchant_name), CASE WHEN $5 IS NULL THEN d.merchant_id END, d.processor, $3, $4, 1, 1, 'VERY_HIGH',
           0, 0, 0, NULL, '{}'::text[], d.pack_id)::rayapp.verdict, d.locked, d.version
FROM rayapp.decision d
WHERE d.transaction_id = $2;

-- name: write
UPDATE rayapp.decision d
SET status = (h.after).status, merchant_name = (h.after).merchant_name, merchant_id = (h.after).merchant_id,
    category_primary = (h.after).category_primary, category_detailed = (h.after).category_detailed, score = (h.after).score,
    confidence = (h.after).confidence, level = (h.after).level, merchant_score = (h.after).merchant_score,
    semantic_score = (h.after).semantic_score, rule_score = (h.after).rule_score, alias_id = (h.after).alias_id,
    rule_ids = (h.after).rule_ids, decided_at = now(), locked = true
FROM rayapp.decision_history h
WHERE h.changeset_id = $1 AND d.transaction_id = h.transaction_id;

-- name: standing
SELECT c.id AS correction, c.transaction_id AS id, c.category_detailed, c.merchant_name, c.made_by, c.reason,
       t.descriptor, t.amount::text AS amount, t.currency, t.direction, t.mcc, t.country, t.booked_at::text AS booked_at
FROM rayapp.standing_correction c JOIN rayapp.transaction t ON t.id = c.transaction_id
WHERE c.regression
ORDER BY c.id;

-- name: any
SELECT EXISTS (SELECT FROM rayapp.correction WHERE withdrawn_at IS NULL AND regression);
