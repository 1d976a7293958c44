-- name: by_id
SELECT id, descriptor, amount::text AS amount, currency, direction, mcc, country, booked_at::text AS booked_at, account_id, user_id
FROM rayapp.transaction
WHERE id = ANY ($1::text[]);

-- name: to_review
SELECT t.id, t.descriptor, t.amount::text AS amount, t.currency, t.direction, t.mcc, t.country, t.booked_at,
       d.merchant_name AS merchant, d.category_detailed AS category, d.confidence, d.level
FROM rayapp.decision d
JOIN rayapp.transaction t ON t.id = d.transaction_id
WHERE d.confidence < $1 AND d.transaction_id > $2 AND NOT d.locked
ORDER BY d.transaction_id
LIMIT $3;
