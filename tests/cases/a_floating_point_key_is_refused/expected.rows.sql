select count(*) from approximate;
