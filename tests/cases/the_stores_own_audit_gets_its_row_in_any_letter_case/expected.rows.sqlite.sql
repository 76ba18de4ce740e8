select level, message, json_extract(metadata, '$.archived_count'), json_extract(metadata, '$.cutoff_date') from System_Log;
