-- Indexes of the two lists that people page through: an account's lines, newest first, and decisions to look at, the least sure first. A page
-- costs by its own rows, however many others there are. While they are built here, transactions and decisions can be read, and who
-- writes waits: some two seconds for each million rows.

SET LOCAL maintenance_work_mem = '256MB';
SET LOCAL statement_timeout = 0;

-- By a hash of the account's name: half the time to build, three quarters of the size, and no name is too long for it. Who asks must ask for
-- the name too. Lines without a date come last; those without an account are in no list and cost nothing.
CREATE INDEX transaction_of_account ON rayapp.transaction (hashtextextended(account_id, 0), coalesce(booked_at, '-infinity') DESC, id DESC)
    WHERE account_id IS NOT NULL;

-- Of surer decisions, which are most, nobody asks for the least sure ones; what a person decided is sure, so that it is not in here.
CREATE INDEX decision_unsure ON rayapp.decision (confidence, transaction_id) WHERE confidence < 0.9;
