-- name: add
INSERT INTO rayapp.webhook (job, url, secrets) VALUES ($1, $2, $3) ON CONFLICT (job) DO NOTHING;

-- name: inherit
INSERT INTO rayapp.webhook (job, url, secrets) SELECT $2, url, secrets FROM rayapp.webhook WHERE job = $1 ON CONFLICT (job) DO NOTHING;

-- name: of
SELECT url, secrets FROM rayapp.webhook WHERE job = $1;
