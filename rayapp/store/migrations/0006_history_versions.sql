-- Which values a past or planned decision was made upon, so that none is put upon others.

ALTER TABLE rayapp.decision_history ADD COLUMN version bigint NOT NULL DEFAULT 0;
ALTER TABLE rayapp.planned_decision ADD COLUMN version bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN rayapp.decision_history.version IS 'rayapp.transaction.version of the values that were decided upon; a row that was loaded again since is not put back.';
COMMENT ON COLUMN rayapp.planned_decision.version IS 'rayapp.transaction.version of the values that were decided upon.';
