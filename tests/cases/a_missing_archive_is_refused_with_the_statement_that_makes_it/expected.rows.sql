select id, note from orders;
