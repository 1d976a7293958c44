-- Rows that were refused when their source was loaded can be tried again, as the same rows of the same load.

ALTER TABLE rayapp.ingest_job ADD COLUMN mended integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN rayapp.ingest_job.mended IS 'How often refused rows of it were loaded after all.';

CREATE OR REPLACE FUNCTION rayapp.data_state() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws('.', (SELECT coalesce(max(seq), 0) FROM rayapp.ingest_job), (SELECT count(*) FROM rayapp.ingest_chunk),
                     (SELECT coalesce(sum(mended), 0) FROM rayapp.ingest_job),
                     (SELECT coalesce(max(id), 0) FROM rayapp.changeset), (SELECT count(*) FROM rayapp.changeset_range))
$$;
