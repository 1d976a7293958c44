-- Whose keys may change what decides.

ALTER TABLE rayapp.api_key ADD COLUMN operator boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN rayapp.api_key.operator IS 'Whether it may publish, plan, activate, apply and take back packs, which change the answers that everybody gets.';
