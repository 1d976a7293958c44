-- name: forget
DELETE FROM rayapp.given_answer WHERE given_at < now() - make_interval(hours => $1);

-- name: lock
SELECT pg_try_advisory_xact_lock(hashtextextended('rayapp.given_answer ' || $1 || ' ' || $2, 0));

-- name: given
SELECT fingerprint, status, location, body FROM rayapp.given_answer WHERE client = $1 AND key = $2;

-- name: keep
INSERT INTO rayapp.given_answer (client, key, fingerprint, status, location, body) VALUES ($1, $2, $3, $4, $5, $6);
