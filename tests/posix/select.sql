-- SPDX-License-Identifier: BSD-3-Clause
-- What one asks a database: joins, windows, recursion, dates, JSON, text search. Printed the same here and on Linux.
.mode list
.separator " | "
.nullvalue NULL
.headers on
create table person(id integer primary key, name text not null, born int, boss int references person(id));
insert into person values(1,'Ada',1815,null),(2,'Blaise',1623,1),(3,'Charles',1791,1),(4,'Émilie',1706,2),(5,'Grace',1906,3);
create index by_born on person(born desc);
select a.name, b.name as boss from person a left join person b on a.boss = b.id order by a.id;
select name, born, rank() over (order by born) as place, sum(born) over (order by id rows 1 preceding) as two from person order by id;
with recursive under(id, depth) as (select 1, 0 union all select p.id, depth + 1 from person p join under u on p.boss = u.id)
select printf('%.*c%s', depth * 2, ' ', name) as tree from under join person using(id) order by depth, id;
with recursive f(a, b) as (select 0, 1 union all select b, a + b from f limit 60) select max(a) from f;
with recursive c(i) as (select 1 union all select i + 1 from c where i < 20000)
select count(*), sum(i), avg(i), max(i * i % 9973), group_concat(i % 7) filter (where i < 12) from c;
explain query plan select * from person where born > 1700;
select upper(name), length(name), length(cast(name as blob)), hex(substr(name, 1, 1)), unicode(name), instr(name, 'a') from person;
select date('2024-02-29', '+1 year'), julianday('2000-01-01 12:00'), strftime('%W %j %s', '1999-12-31 23:59:59'), datetime(1e9, 'unixepoch');
select 1/3.0, 1e300*1e10, -7/2, -7%3, 0x7fffffffffffffff + 1, 9007199254740993, round(2.5), abs(-0.0), 1e-320, 'abc' < 'abd';
select sqrt(2), pi(), exp(1), ln(10), pow(2, 0.5), atan2(1, -1), ceil(-0.5), trunc(7.9), log(2, 1024);
select json_extract('{"a":[1,{"b":"x\u00e9"}]}', '$.a[1].b'), json_array(1, null, 'a"b'), json_patch('{"a":1,"b":2}', '{"b":null}');
select key, value, type, fullkey from json_tree('{"a":[true,2.5],"b":{}}');
select quote(zeroblob(3)), quote('it''s'), typeof(1), typeof(1.0), typeof(null), typeof(x'00'), coalesce(null, 3), iif(1 > 2, 'y', 'n');
create virtual table words using fts5(body, tokenize = 'porter unicode61');
insert into words values('Objects are running where files were'), ('A file that runs is an object'), ('Nothing to see');
select rowid, highlight(words, 0, '[', ']') from words where words match 'run' order by rank, rowid;
select count(*) from words where words match 'object NOT file';
create virtual table box using rtree(id, x0, x1, y0, y1);
with recursive c(i) as (select 1 union all select i + 1 from c where i < 500) insert into box select i, i % 20, i % 20 + 1, i / 20, i / 20 + 1 from c;
select count(*), sum(id) from box where x0 >= 5 and x1 <= 9 and y0 >= 3 and y1 <= 12;
create table gen(a int, b text generated always as (a || '!') stored, c int as (a * 2));
insert into gen(a) values(1),(2);
update gen set a = a + 10 where a = 2 returning a, b, c;
select * from gen;
create table strict_one(a int, b real, c text, d any) strict;
insert into strict_one values(1, 2, 3, x'04');
insert into strict_one values('x', 2, 3, 4);
insert into person values(1, 'twice', 0, 0);
select no_such_column from person;
select * from person where;
select name from pragma_table_info('person');
.dump person
