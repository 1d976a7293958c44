-- name: by_id
SELECT id, descriptor, amount::text AS amount, currency, direction, mcc, country, booked_at::text AS booked_at, account_id, user_id
FROM rayapp.transaction
WHERE id = ANY ($1::text[]);
