-- Deciding anew: what people corrected, what was changed by whom and how it was before, and changes that are only planned.

-- Given in 0002 too; whichever file comes first makes them.
ALTER TABLE rayapp.transaction ADD COLUMN IF NOT EXISTS clean text;
ALTER TABLE rayapp.decision ADD COLUMN IF NOT EXISTS locked boolean NOT NULL DEFAULT false;
ALTER TABLE rayapp.decision ADD COLUMN IF NOT EXISTS version bigint NOT NULL DEFAULT 0;

CREATE TYPE rayapp.verdict AS (
    status            text,
    merchant_name     text,
    merchant_id       text,
    processor         text,
    category_primary  text,
    category_detailed text,
    score             double precision,
    confidence        double precision,
    level             text,
    merchant_score    double precision,
    semantic_score    double precision,
    rule_score        double precision,
    alias_id          text,
    rule_ids          text[],
    pack_id           integer
);
COMMENT ON TYPE rayapp.verdict IS 'What rayapp.decision says of one transaction, with the pack that decided; its columns are explained there.';

CREATE FUNCTION rayapp.verdict_of(d rayapp.decision) RETURNS rayapp.verdict LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ROW(d.status, d.merchant_name, d.merchant_id, d.processor, d.category_primary, d.category_detailed, d.score, d.confidence, d.level,
               d.merchant_score, d.semantic_score, d.rule_score, d.alias_id, d.rule_ids, d.pack_id)::rayapp.verdict
$$;
COMMENT ON FUNCTION rayapp.verdict_of IS 'The verdict of a current decision.';

-- --------------------------------------------------------------------------------------------------------------- changesets

CREATE TABLE rayapp.changeset (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text        NOT NULL CHECK (kind IN ('reclassify', 'apply', 'revert', 'correction')),
    pack_id        integer     NOT NULL REFERENCES rayapp.pack,
    former_pack_id integer     REFERENCES rayapp.pack,
    whole          boolean     NOT NULL DEFAULT false,
    blocks         integer     NOT NULL DEFAULT 0 CHECK (blocks >= 0),
    step           integer     NOT NULL DEFAULT 1 CHECK (step > 0),
    loads          text        NOT NULL DEFAULT '',
    plan_id        bigint,
    reverts        bigint      REFERENCES rayapp.changeset,
    made_by        text        NOT NULL DEFAULT '',
    reason         text        NOT NULL DEFAULT '',
    changed        bigint      NOT NULL DEFAULT 0,
    begun_at       timestamptz NOT NULL DEFAULT now(),
    finished_at    timestamptz
);
CREATE UNIQUE INDEX changeset_open ON rayapp.changeset (pack_id, whole) WHERE kind = 'reclassify' AND finished_at IS NULL;
CREATE UNIQUE INDEX changeset_reverted ON rayapp.changeset (reverts) WHERE reverts IS NOT NULL;
COMMENT ON TABLE  rayapp.changeset IS 'Changes of stored decisions that belong together, each of them reversible by its id.';
COMMENT ON COLUMN rayapp.changeset.kind IS 'reclassify: stored rows decided anew by a pack. apply: a plan carried out. revert: another changeset taken back. correction: a person''s word.';
COMMENT ON COLUMN rayapp.changeset.pack_id IS 'The pack that decides after the change; of a correction the pack that it corrects.';
COMMENT ON COLUMN rayapp.changeset.former_pack_id IS 'The pack that was active before, where the change activated another.';
COMMENT ON COLUMN rayapp.changeset.whole IS 'Every row was decided again, rather than those that the difference of the packs can touch.';
COMMENT ON COLUMN rayapp.changeset.blocks IS 'Blocks that rayapp.transaction had when the change began; step of them are one range of work.';
COMMENT ON COLUMN rayapp.changeset.loads IS 'How far loads were when it began: blocks that were done are done only while no load moves rows.';
COMMENT ON COLUMN rayapp.changeset.plan_id IS 'The plan that was carried out.';
COMMENT ON COLUMN rayapp.changeset.reverts IS 'The changeset that was taken back.';
COMMENT ON COLUMN rayapp.changeset.finished_at IS 'Null while it is under way, or where it broke off; a reclassification with the same pack goes on with it.';

CREATE TABLE rayapp.changeset_range (
    changeset_id bigint      NOT NULL REFERENCES rayapp.changeset,
    number       integer     NOT NULL CHECK (number >= 0),
    decided      integer     NOT NULL DEFAULT 0,
    changed      integer     NOT NULL DEFAULT 0,
    unreadable   integer     NOT NULL DEFAULT 0,
    committed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (changeset_id, number)
);
COMMENT ON TABLE  rayapp.changeset_range IS 'The ledger of reclassifications: a range has a row here exactly when its decisions are written, since both are committed together.';
COMMENT ON COLUMN rayapp.changeset_range.decided IS 'Rows that were decided again.';
COMMENT ON COLUMN rayapp.changeset_range.changed IS 'Rows of which something came out otherwise.';
COMMENT ON COLUMN rayapp.changeset_range.unreadable IS 'Rows with a value that the engine refuses; they keep their decision.';

CREATE TABLE rayapp.decision_history (
    changeset_id   bigint         NOT NULL REFERENCES rayapp.changeset,
    transaction_id text           COLLATE "C" NOT NULL,
    before         rayapp.verdict NOT NULL,
    after          rayapp.verdict NOT NULL,
    was_locked     boolean        NOT NULL DEFAULT false,
    PRIMARY KEY (changeset_id, transaction_id)
);
CREATE INDEX decision_history_of ON rayapp.decision_history (transaction_id);
COMMENT ON TABLE  rayapp.decision_history IS 'What changed about each decision, by changeset. Loads are not in here: they bring new values, and the ledger of loads names them.';
COMMENT ON COLUMN rayapp.decision_history.was_locked IS 'Whether a person had decided before.';

-- -------------------------------------------------------------------------------------------------------------- corrections

CREATE TABLE rayapp.correction (
    id                bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changeset_id      bigint      NOT NULL REFERENCES rayapp.changeset,
    transaction_id    text        COLLATE "C" NOT NULL,
    category_primary  text        NOT NULL,
    category_detailed text        NOT NULL,
    merchant_name     text,
    regression        boolean     NOT NULL DEFAULT true,
    made_by           text        NOT NULL CHECK (made_by <> ''),
    reason            text        NOT NULL DEFAULT '',
    made_at           timestamptz NOT NULL DEFAULT now(),
    withdrawn_at      timestamptz
);
CREATE INDEX correction_of ON rayapp.correction (transaction_id);
COMMENT ON TABLE  rayapp.correction IS 'What people said of single transactions. The last one of a transaction that was not withdrawn holds.';
COMMENT ON COLUMN rayapp.correction.merchant_name IS 'The merchant as the person names it; null where the pack''s word was left.';
COMMENT ON COLUMN rayapp.correction.regression IS 'Whether packs must decide so from now on; false for an exception that says nothing of others.';

CREATE VIEW rayapp.standing_correction AS
    SELECT DISTINCT ON (transaction_id) * FROM rayapp.correction WHERE withdrawn_at IS NULL ORDER BY transaction_id, id DESC;
COMMENT ON VIEW rayapp.standing_correction IS 'The correction that holds for each corrected transaction.';

-- -------------------------------------------------------------------------------------------------------------------- plans

CREATE TABLE rayapp.plan (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pack_id        integer     NOT NULL REFERENCES rayapp.pack,
    active_pack_id integer     REFERENCES rayapp.pack,
    state          text        NOT NULL,
    whole          boolean     NOT NULL,
    made_by        text        NOT NULL DEFAULT '',
    reason         text        NOT NULL DEFAULT '',
    override       text        NOT NULL DEFAULT '',
    report         jsonb,
    begun_at       timestamptz NOT NULL DEFAULT now(),
    finished_at    timestamptz,
    changeset_id   bigint      REFERENCES rayapp.changeset
);
ALTER TABLE rayapp.changeset ADD FOREIGN KEY (plan_id) REFERENCES rayapp.plan;
COMMENT ON TABLE  rayapp.plan IS 'What a pack would change, worked out and not done.';
COMMENT ON COLUMN rayapp.plan.active_pack_id IS 'The pack that was active when the plan was made; it is carried out only while it still is.';
COMMENT ON COLUMN rayapp.plan.state IS 'rayapp.data_state() when the plan was begun; it is carried out only while that is the same.';
COMMENT ON COLUMN rayapp.plan.override IS 'Why the plan may break corrections; empty where it may not.';
COMMENT ON COLUMN rayapp.plan.report IS 'The summary that was shown: transitions, amounts, rules, samples.';
COMMENT ON COLUMN rayapp.plan.changeset_id IS 'The changeset that carried it out.';

CREATE TABLE rayapp.planned_decision (
    plan_id        bigint         NOT NULL REFERENCES rayapp.plan ON DELETE CASCADE,
    transaction_id text           COLLATE "C" NOT NULL,
    before         rayapp.verdict NOT NULL,
    after          rayapp.verdict NOT NULL,
    locked         boolean        NOT NULL,
    PRIMARY KEY (plan_id, transaction_id)
);
COMMENT ON TABLE  rayapp.planned_decision IS 'The rows that a plan changes, and those that it would if no person had locked them.';

CREATE FUNCTION rayapp.data_state() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws('.', (SELECT coalesce(max(seq), 0) FROM rayapp.ingest_job), (SELECT count(*) FROM rayapp.ingest_chunk),
                     (SELECT coalesce(max(id), 0) FROM rayapp.changeset), (SELECT count(*) FROM rayapp.changeset_range))
$$;
COMMENT ON FUNCTION rayapp.data_state IS 'Differs whenever a load, a reclassification, a plan, a revert or a correction wrote transactions or decisions in between.';
