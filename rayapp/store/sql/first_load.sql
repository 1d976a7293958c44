-- name: take_all_turns
-- Waits until no chunk of the dataset is being loaded and none of its keys is being built, and lets no chunk begin.
SELECT pg_advisory_xact_lock(hashtextextended('rayapp.load.' || $1, 0)),
       CASE WHEN $2 THEN pg_advisory_xact_lock(hashtext('rayapp.decisions')) END,
       pg_advisory_lock(hashtextextended('rayapp.build.' || $1, 0)),
       pg_advisory_unlock(hashtextextended('rayapp.build.' || $1, 0));

-- name: take_building
-- Of each connection that builds keys for one that has taken all turns; the server goes on building when their process is killed.
SELECT pg_advisory_xact_lock_shared(hashtextextended('rayapp.build.' || $1, 0));

-- name: state
SELECT job_seq, rebuild, seq IS NOT NULL AND finished_at IS NULL AS unfinished, job.id
FROM rayapp.first_load JOIN rayapp.ingest_job job ON job.seq = job_seq
WHERE first_load.dataset = $1;

-- name: others
-- Loads of the dataset that began and did not end: they would find their tables without keys.
SELECT id FROM rayapp.ingest_job job
WHERE dataset = $1 AND seq <> $2 AND finished_at IS NULL AND stopped_at IS NULL
  AND EXISTS (SELECT FROM rayapp.ingest_chunk chunk WHERE chunk.job_seq = job.seq);

-- name: keys
-- Keys and indexes of a table: how each is dropped and how it is built. Keys first, since other indexes can be built in any order.
SELECT CASE WHEN con.oid IS NULL THEN format('DROP INDEX %I.%I', ns.nspname, index_class.relname)
            ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', $1::text, con.conname) END AS drops,
       CASE WHEN con.oid IS NULL THEN pg_get_indexdef(index.indexrelid)
            ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', $1::text, con.conname, pg_get_constraintdef(con.oid)) END AS builds
FROM pg_index index
JOIN pg_class index_class ON index_class.oid = index.indexrelid
JOIN pg_namespace ns ON ns.oid = index_class.relnamespace
LEFT JOIN pg_constraint con ON con.conindid = index.indexrelid AND con.contype IN ('p', 'u', 'x')
WHERE index.indrelid = $1::text::regclass
ORDER BY index.indisprimary DESC, index_class.relname;

-- name: is_vacuumed
-- Whether nobody has said of the table when autovacuum looks at it.
SELECT NOT EXISTS (SELECT FROM unnest(reloptions) option WHERE option LIKE 'autovacuum_enabled=%') FROM pg_class WHERE oid = $1::text::regclass;

-- name: begin
INSERT INTO rayapp.first_load (dataset, job_seq, rebuild) VALUES ($1, $2, $3);

-- name: build_again
-- $2: what was built when the load was killed, and was dropped again.
UPDATE rayapp.first_load SET rebuild = rebuild || $2::text[] WHERE dataset = $1;

-- name: built
-- $2: what was built in this transaction.
UPDATE rayapp.first_load
SET rebuild = ARRAY(SELECT builds FROM unnest(rebuild) WITH ORDINALITY AS listed (builds, place) WHERE builds <> ALL ($2::text[]) ORDER BY place)
WHERE dataset = $1;

-- name: end
DELETE FROM rayapp.first_load WHERE dataset = $1;

-- name: count_superseded
-- $2: how many rows were taken out of each chunk ($1: the chunk's number). They were counted as inserted.
UPDATE rayapp.ingest_chunk chunk
SET inserted = inserted - gone.rows, superseded = superseded + gone.rows
FROM (SELECT unnest($2::integer[]) AS number, unnest($3::integer[]) AS rows) gone
WHERE chunk.job_seq = $1 AND chunk.number = gone.number;
