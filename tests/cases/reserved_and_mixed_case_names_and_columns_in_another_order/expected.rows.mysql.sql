select `order`, `interval`, `select`, `a.b` from `USER` order by `order`;
select `order`, `interval`, `select`, `a.b` from `User Archive` order by `order`;
