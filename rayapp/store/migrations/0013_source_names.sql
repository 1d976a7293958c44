-- An upload is known by its name, which is its content's: machines may reach one folder by different paths.

DROP INDEX rayapp.job_source;
CREATE INDEX job_source_name ON rayapp.job ((regexp_replace(request ->> 'source', '^.*/', '')));
