-- name: add
WITH added AS (
    INSERT INTO rayapp.api_key (name, mark, hash, tier, rows_per_s, burst_rows, at_once, operator)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    RETURNING id, burst_rows
)
INSERT INTO rayapp.api_key_bucket (key_id, tokens) SELECT id, burst_rows FROM added
RETURNING key_id;

-- name: list
SELECT id, name, mark, tier, operator, rows_per_s, burst_rows, at_once, created_at, revoked_at FROM rayapp.api_key ORDER BY id;

-- name: valid
SELECT id, name, mark, hash, tier, operator, rows_per_s, burst_rows, at_once FROM rayapp.api_key WHERE revoked_at IS NULL;

-- name: revoke
UPDATE rayapp.api_key SET revoked_at = now() WHERE mark = $1 AND revoked_at IS NULL RETURNING id;

-- name: announce
SELECT pg_notify('rayapp_api_keys', '');

-- name: lease
-- $2 rows are needed now, up to $3 are wanted. A request of more rows than the bucket holds waits for a full one, and leaves a debt.
WITH bucket AS (
    SELECT bucket.key_id, key.burst_rows, key.rows_per_s, clock_timestamp() AS at,
           least(key.burst_rows,
                 bucket.tokens + key.rows_per_s * greatest(0, extract(epoch FROM clock_timestamp() - bucket.refilled_at))) AS tokens
    FROM rayapp.api_key_bucket bucket JOIN rayapp.api_key key ON key.id = bucket.key_id
    WHERE bucket.key_id = $1
    FOR UPDATE OF bucket
), granted AS (
    SELECT key_id, at, tokens,
           CASE WHEN tokens >= least($2::double precision, burst_rows)
                THEN greatest($2::double precision, least($3::double precision, floor(tokens))) ELSE 0 END AS rows
    FROM bucket
)
UPDATE rayapp.api_key_bucket bucket SET tokens = granted.tokens - granted.rows, refilled_at = granted.at
FROM granted WHERE granted.key_id = bucket.key_id
RETURNING granted.rows AS granted, bucket.tokens AS left;

-- name: give_back
UPDATE rayapp.api_key_bucket bucket SET tokens = least(key.burst_rows, bucket.tokens + $2)
FROM rayapp.api_key key
WHERE key.id = bucket.key_id AND bucket.key_id = $1;

-- name: debit
-- Rows that are done later by others: taken at once unless the bucket is in debt already, at most as many as it can hold.
WITH bucket AS (
    SELECT bucket.key_id, key.burst_rows, key.rows_per_s, clock_timestamp() AS at,
           least(key.burst_rows,
                 bucket.tokens + key.rows_per_s * greatest(0, extract(epoch FROM clock_timestamp() - bucket.refilled_at))) AS tokens
    FROM rayapp.api_key_bucket bucket JOIN rayapp.api_key key ON key.id = bucket.key_id
    WHERE bucket.key_id = $1
    FOR UPDATE OF bucket
)
UPDATE rayapp.api_key_bucket bucket
SET tokens = before.tokens - CASE WHEN before.tokens >= 0 THEN least($2::double precision, before.burst_rows) ELSE 0 END, refilled_at = before.at
FROM bucket before WHERE before.key_id = bucket.key_id
RETURNING bucket.tokens AS left, greatest(0, -before.tokens / before.rows_per_s) AS wait_s;

-- name: lock_slots
-- Whoever changes what others may count on holds these, in this order, until its transaction ends.
SELECT key_id FROM rayapp.api_key_bucket WHERE key_id = ANY($1::integer[]) ORDER BY key_id FOR UPDATE;

-- name: take_slots
-- Up to $4 slots for holder $2, whatever it had; where that are fewer than the $3 that it needs, the others hear of it.
WITH gone AS (
    DELETE FROM rayapp.api_key_slot WHERE key_id = $1 AND holder <> $2 AND until <= clock_timestamp()
), free AS (
    SELECT greatest(0, key.at_once - coalesce((
               SELECT sum(other.slots) FROM rayapp.api_key_slot other
               WHERE other.key_id = key.id AND other.holder <> $2 AND other.until > clock_timestamp()), 0)) AS slots
    FROM rayapp.api_key key WHERE key.id = $1
), taken AS (
    INSERT INTO rayapp.api_key_slot (key_id, holder, slots, until)
    SELECT $1, $2, least($4, free.slots), clock_timestamp() + make_interval(secs => $5) FROM free
    ON CONFLICT (key_id, holder) DO UPDATE SET slots = excluded.slots, until = excluded.until
    RETURNING slots
)
SELECT slots, CASE WHEN slots < $3 THEN pg_notify('rayapp_api_key_slots', $1::text || ' ' || $2)::text END AS told FROM taken;

-- name: keep_slots
UPDATE rayapp.api_key_slot SET until = clock_timestamp() + make_interval(secs => $3)
WHERE key_id = ANY($1::integer[]) AND holder = $2 AND until > clock_timestamp()
RETURNING key_id;

-- name: give_slots
UPDATE rayapp.api_key_slot SET slots = least(slots, $3) WHERE key_id = $1 AND holder = $2;
