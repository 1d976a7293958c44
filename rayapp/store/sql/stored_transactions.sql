-- name: by_id
SELECT id, descriptor, amount::text AS amount, currency, direction, mcc, country, booked_at::text AS booked_at, account_id, user_id
FROM rayapp.transaction
WHERE id = ANY ($1::text[]);

-- name: unsure
-- $2 and $3: the confidence and the id that the page begins behind. The bound 0.9 is that of the index decision_unsure.
SELECT confidence, transaction_id FROM rayapp.decision
WHERE NOT locked AND confidence < 0.9 AND confidence < $1 AND (confidence, transaction_id) > ($2, $3)
ORDER BY confidence, transaction_id
LIMIT $4;

-- name: surer
-- The same beyond that bound; looks at every decision.
SELECT confidence, transaction_id FROM rayapp.decision
WHERE NOT locked AND confidence >= 0.9 AND confidence < $1 AND (confidence, transaction_id) > ($2, $3)
ORDER BY confidence, transaction_id
LIMIT $4;

-- name: of_account
-- $2 and $3: the date and the id that the page begins behind; a line without a date is the oldest. As the index transaction_of_account has it.
-- To the planner the name is one more condition, by which hardly a row of the hash would be left and sorting them all looked cheap; inside
-- coalesce it takes it to leave half of them.
SELECT booked_at, id FROM rayapp.transaction
WHERE hashtextextended(account_id, 0) = hashtextextended($1, 0) AND coalesce(account_id = $1, false)
  AND (coalesce(booked_at, '-infinity'), id) < ($2::text::timestamptz, $3)
ORDER BY coalesce(booked_at, '-infinity') DESC, id DESC
LIMIT $4;

-- name: decided
-- In the order of the ids.
SELECT t.id, t.descriptor, t.amount::text AS amount, t.currency, t.direction, t.mcc, t.country, t.booked_at,
       d.merchant_name AS merchant, d.category_detailed AS category, d.confidence, d.level
FROM unnest($1::text[]) WITH ORDINALITY AS page (id, place)
JOIN rayapp.transaction t ON t.id = page.id
JOIN rayapp.decision d ON d.transaction_id = page.id
ORDER BY page.place;
