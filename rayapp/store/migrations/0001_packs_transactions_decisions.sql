-- Packs, transactions, their decisions, and the ledger of what was loaded.
-- PostgreSQL 15 or later. The comments are the data dictionary.

-- ------------------------------------------------------------------------------------------------------------------- packs

CREATE TABLE rayapp.pack (
    id          integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest      text        NOT NULL UNIQUE CHECK (digest <> ''),
    name        text        NOT NULL,
    artefact    bytea       NOT NULL,
    saved_at    timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE rayapp.pack ALTER COLUMN artefact SET STORAGE EXTERNAL;
COMMENT ON TABLE  rayapp.pack IS 'Compiled rule packs. Immutable: a changed pack has another digest.';
COMMENT ON COLUMN rayapp.pack.id IS 'Short number of the pack inside this database; outside of it a pack is known by its digest.';
COMMENT ON COLUMN rayapp.pack.digest IS 'Digest of the sources that the pack was compiled from.';
COMMENT ON COLUMN rayapp.pack.name IS 'Name that the pack gives itself.';
COMMENT ON COLUMN rayapp.pack.artefact IS 'The compiled pack, as CompiledPack.dump() writes it. Not compressed again.';

CREATE TABLE rayapp.pack_activation (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pack_id      integer     NOT NULL REFERENCES rayapp.pack,
    reason       text        NOT NULL DEFAULT '',
    activated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  rayapp.pack_activation IS 'Which pack was active when; the row with the highest id names the active pack. A rollback is one more row.';
COMMENT ON COLUMN rayapp.pack_activation.reason IS 'Why, in a person''s words.';

-- ------------------------------------------------------------------------------------------------ transactions and decisions

CREATE TABLE rayapp.transaction (
    id          text        COLLATE "C" NOT NULL PRIMARY KEY,
    descriptor  text        NOT NULL,
    amount      numeric,
    currency    text,
    direction   text        CHECK (direction IN ('debit', 'credit')),
    mcc         text,
    country     text,
    booked_at   timestamptz,
    account_id  text,
    user_id     text,
    version     bigint      NOT NULL
);
COMMENT ON TABLE  rayapp.transaction IS 'Transactions as they came in. What rayapp finds out about them is in rayapp.decision and never here.';
COMMENT ON COLUMN rayapp.transaction.id IS 'The caller''s own key.';
COMMENT ON COLUMN rayapp.transaction.descriptor IS 'The bank''s text, as it came.';
COMMENT ON COLUMN rayapp.transaction.amount IS 'In units of currency.';
COMMENT ON COLUMN rayapp.transaction.currency IS 'ISO 4217 alphabetic code.';
COMMENT ON COLUMN rayapp.transaction.direction IS 'debit is money leaving the account.';
COMMENT ON COLUMN rayapp.transaction.mcc IS 'ISO 18245 merchant category code, four digits.';
COMMENT ON COLUMN rayapp.transaction.country IS 'ISO 3166-1 alpha-2 code of the merchant''s country.';
COMMENT ON COLUMN rayapp.transaction.booked_at IS 'When it was booked; a date without a time is midnight UTC.';
COMMENT ON COLUMN rayapp.transaction.version IS 'ingest_job.seq << 40 | chunk number << 20 | row in the chunk, of the row that these values came from. Of two rows with one id the higher version wins, in whatever order they are committed.';

CREATE TABLE rayapp.decision (
    transaction_id    text             COLLATE "C" NOT NULL PRIMARY KEY,
    status            text             NOT NULL CHECK (status IN ('classified', 'unclassified', 'partial')),
    merchant_name     text,
    merchant_id       text,
    processor         text,
    category_primary  text,
    category_detailed text,
    score             double precision NOT NULL,
    confidence        double precision NOT NULL,
    level             text             NOT NULL CHECK (level IN ('VERY_HIGH', 'HIGH', 'MEDIUM', 'LOW')),
    merchant_score    double precision NOT NULL,
    semantic_score    double precision NOT NULL,
    rule_score        double precision NOT NULL,
    alias_id          text,
    rule_ids          text[]           NOT NULL,
    pack_id           integer          NOT NULL,
    decided_at        timestamptz      NOT NULL DEFAULT now()
);
COMMENT ON TABLE  rayapp.decision IS 'The current decision of each transaction. No foreign keys: a check per row costs more than the row, and the one statement that writes here writes rayapp.transaction too.';
COMMENT ON COLUMN rayapp.decision.score IS 'Sum of the counted contributions, 0..1.';
COMMENT ON COLUMN rayapp.decision.confidence IS 'Calibrated probability that the detailed category is right.';
COMMENT ON COLUMN rayapp.decision.merchant_score IS 'Contribution of the merchant signal to the chosen category; semantic_score and rule_score likewise.';
COMMENT ON COLUMN rayapp.decision.alias_id IS 'Provenance: the alias that the merchant was recognised by.';
COMMENT ON COLUMN rayapp.decision.rule_ids IS 'Provenance: the rules that fired for the chosen category.';
COMMENT ON COLUMN rayapp.decision.pack_id IS 'Provenance: the pack that decided, rayapp.pack.id.';

CREATE VIEW rayapp.classified AS
    SELECT t.*, d.status, d.merchant_name, d.merchant_id, d.processor, d.category_primary, d.category_detailed, d.score, d.confidence,
           d.level, d.merchant_score, d.semantic_score, d.rule_score, d.alias_id, d.rule_ids, p.digest AS pack, d.decided_at
    FROM rayapp.transaction t
    JOIN rayapp.decision d ON d.transaction_id = t.id
    JOIN rayapp.pack p ON p.id = d.pack_id;
COMMENT ON VIEW rayapp.classified IS 'Transactions with their current decisions, for people and reports.';

-- ------------------------------------------------------------------------------------------------------------------ ledger

CREATE TABLE rayapp.ingest_job (
    seq           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            uuid        NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    dataset       text        NOT NULL,
    source        text        NOT NULL,
    source_digest text        NOT NULL,
    source_bytes  bigint      NOT NULL CHECK (source_bytes >= 0),
    pack_id       integer     NOT NULL REFERENCES rayapp.pack,
    chunks        integer     NOT NULL CHECK (chunks BETWEEN 0 AND 1048576),
    started_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    UNIQUE (dataset, source_digest, pack_id)
);
COMMENT ON TABLE  rayapp.ingest_job IS 'One load of one source with one pack. A second load of the same goes on with the same job, and finds nothing left to do once it is finished.';
COMMENT ON COLUMN rayapp.ingest_job.seq IS 'Grows with each job; orders versions of rows.';
COMMENT ON COLUMN rayapp.ingest_job.source IS 'Where the source was read from, for people.';
COMMENT ON COLUMN rayapp.ingest_job.source_digest IS 'Digest of the source''s bytes and of how it is cut into chunks.';
COMMENT ON COLUMN rayapp.ingest_job.chunks IS 'How many chunks the source was cut into when the job began; a resumed job cuts it the same way.';

CREATE TABLE rayapp.ingest_chunk (
    job_seq      bigint      NOT NULL REFERENCES rayapp.ingest_job,
    number       integer     NOT NULL CHECK (number >= 0),
    rows         integer     NOT NULL DEFAULT 0,
    inserted     integer     NOT NULL DEFAULT 0,
    updated      integer     NOT NULL DEFAULT 0,
    superseded   integer     NOT NULL DEFAULT 0,
    repeated     integer     NOT NULL DEFAULT 0,
    quarantined  integer     NOT NULL DEFAULT 0,
    committed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_seq, number),
    CHECK (rows = inserted + updated + superseded + repeated + quarantined)
);
COMMENT ON TABLE  rayapp.ingest_chunk IS 'The ledger: a chunk has a row here exactly when its rows are in the tables, since both are written in one transaction.';
COMMENT ON COLUMN rayapp.ingest_chunk.rows IS 'Rows of the source in the chunk.';
COMMENT ON COLUMN rayapp.ingest_chunk.superseded IS 'Rows whose id the table already had with a higher version.';
COMMENT ON COLUMN rayapp.ingest_chunk.repeated IS 'Rows whose id came again later in the same chunk.';

CREATE TABLE rayapp.quarantine (
    job_seq      bigint  NOT NULL REFERENCES rayapp.ingest_job,
    chunk        integer NOT NULL,
    line         bigint  NOT NULL,
    column_name  text    NOT NULL,
    value        text,
    reason       text    NOT NULL,
    PRIMARY KEY (job_seq, chunk, line, column_name)
);
COMMENT ON TABLE  rayapp.quarantine IS 'Values of the source that could not be loaded; the row that held one was not loaded.';
COMMENT ON COLUMN rayapp.quarantine.line IS 'One-based line of the source, or row where the source has no lines.';
COMMENT ON COLUMN rayapp.quarantine.value IS 'The value as it came, its first 1000 characters, NUL shown as U+FFFD.';
