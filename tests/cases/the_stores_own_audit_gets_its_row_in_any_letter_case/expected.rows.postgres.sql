select level, message, metadata->>'archived_count', metadata->>'cutoff_date' from audit_log."SYSTEM_LOG";
