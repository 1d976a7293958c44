-- A receiver may be away for hours: forty attempts with pauses of at most ten minutes are some five hours.
CREATE OR REPLACE FUNCTION rayapp.tell_of_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rayapp.job (kind, request, created_by, parent, max_attempts)
    SELECT 'webhook', jsonb_build_object('about', NEW.id, 'type', 'job.' || NEW.state, 'at', NEW.finished_at), NEW.created_by, NEW.id, 40
    FROM rayapp.webhook WHERE webhook.job = NEW.id;
    IF FOUND THEN
        PERFORM pg_notify('rayapp_job', 'queued webhook');
    END IF;
    RETURN NULL;
END $$;
