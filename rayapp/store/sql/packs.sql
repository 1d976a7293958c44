-- name: save
INSERT INTO rayapp.pack (digest, name, artefact)
VALUES ($1, $2, $3)
ON CONFLICT (digest) DO NOTHING;

-- name: fetch
SELECT artefact FROM rayapp.pack WHERE digest = $1;

-- name: activate
-- Activations are put in order by the lock, so that the last row is the last word.
WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended('rayapp.pack_activation', 0)))
INSERT INTO rayapp.pack_activation (pack_id, reason)
SELECT pack.id, $2 FROM turn, rayapp.pack WHERE pack.digest = $1
RETURNING id;

-- name: announce
SELECT pg_notify('rayapp_pack', $1);

-- name: current
SELECT pack.digest
FROM rayapp.pack_activation activation JOIN rayapp.pack ON pack.id = activation.pack_id
ORDER BY activation.id DESC
LIMIT 1;

-- name: list
SELECT pack.digest, pack.name, octet_length(pack.artefact) AS bytes, pack.saved_at, last.activated_at,
       coalesce(last.id = (SELECT max(id) FROM rayapp.pack_activation), false) AS active
FROM rayapp.pack
LEFT JOIN LATERAL (
    SELECT id, activated_at FROM rayapp.pack_activation WHERE pack_id = pack.id ORDER BY id DESC LIMIT 1
) last ON true
ORDER BY pack.id;

-- name: activations
SELECT activation.id, pack.digest, activation.reason, activation.activated_at
FROM rayapp.pack_activation activation JOIN rayapp.pack ON pack.id = activation.pack_id
ORDER BY activation.id DESC
LIMIT $1;
