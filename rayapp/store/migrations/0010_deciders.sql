-- Which packs decided what is stored, so that a small change of a pack does not begin with a look at every decision.

CREATE TABLE rayapp.deciders (
    one        boolean     NOT NULL PRIMARY KEY DEFAULT true CHECK (one),
    packs      integer[]   NOT NULL,
    rows       bigint[]    NOT NULL,
    jobs       bigint      NOT NULL,
    changes    bigint      NOT NULL,
    counted_at timestamptz NOT NULL
);
COMMENT ON TABLE  rayapp.deciders IS 'The packs by which rows were decided when that was last counted. Whatever has written decisions since has a row in the ledgers.';
COMMENT ON COLUMN rayapp.deciders.rows IS 'Rows that each of packs had decided.';
COMMENT ON COLUMN rayapp.deciders.jobs IS 'The highest rayapp.ingest_job.seq at that time; changes is that of rayapp.changeset.id.';
