-- SPDX-License-Identifier: BSD-3-Clause
-- What a database keeps: transactions, journals of each kind, attached files, triggers, vacuum; in files of
-- the folder it runs in. Printed the same here and on Linux.
.mode list
.nullvalue NULL
create table account(id integer primary key, owner text unique, amount int check (amount >= 0));
create table movement(at integer primary key, from_id int, to_id int, amount int);
create trigger moved after insert on movement begin
  update account set amount = amount - new.amount where id = new.from_id;
  update account set amount = amount + new.amount where id = new.to_id;
end;
insert into account values(1, 'a', 100), (2, 'b', 0);
insert into movement values(1, 1, 2, 30);
insert into movement values(2, 1, 2, 300);
select * from account;
begin;
insert into movement values(3, 2, 1, 5);
savepoint inner_one;
insert into movement values(4, 2, 1, 5);
rollback to inner_one;
release inner_one;
commit;
begin; delete from account; select count(*) from account; rollback;
select * from account; select count(*) from movement;
pragma journal_mode = truncate; insert into movement values(5, 1, 2, 1);
pragma journal_mode = persist; insert into movement values(6, 1, 2, 1);
pragma journal_mode = memory; insert into movement values(7, 1, 2, 1);
pragma journal_mode = off; insert into movement values(8, 1, 2, 1);
pragma journal_mode = wal; insert into movement values(9, 1, 2, 1);
pragma wal_checkpoint(full);
pragma synchronous = full; insert into movement values(10, 1, 2, 1);
pragma journal_mode = delete;
pragma mmap_size = 10000000; insert into movement values(11, 1, 2, 1);
select * from account;
attach 'second.db' as second;
create table second.copy as select * from movement;
begin; update second.copy set amount = 0; update account set amount = amount + 1; commit;
select sum(amount) from second.copy; select sum(amount) from account;
begin; update second.copy set amount = 7; update account set amount = 7; rollback;
select sum(amount) from second.copy; select sum(amount) from account;
detach second;
create table big(id integer primary key, body blob);
pragma cache_size = 20;
begin;
with recursive c(i) as (select 1 union all select i + 1 from c where i < 2000) insert into big select i, zeroblob(1000 + i % 900) from c;
update big set body = zeroblob(500) where id % 3 = 0;
rollback;
select count(*) from big;
begin;
with recursive c(i) as (select 1 union all select i + 1 from c where i < 2000) insert into big select i, zeroblob(1000 + i % 900) from c;
commit;
select count(*), sum(length(body)) from big;
delete from big where id % 2;
pragma page_count; pragma freelist_count;
vacuum;
pragma page_count; pragma freelist_count;
pragma page_size = 1024; vacuum; pragma page_size; pragma page_count;
pragma auto_vacuum = full; vacuum; delete from big where id > 1000; pragma page_count;
create unique index too_many on big(length(body));
create index on_length on big(length(body), id);
analyze; select * from sqlite_stat1;
reindex;
vacuum into 'third.db';
attach 'third.db' as third; select count(*) from third.big; pragma third.integrity_check; detach third;
pragma integrity_check; pragma foreign_key_check;
.backup 'fourth.db'
.open 'fourth.db'
select count(*), sum(length(body)) from big; pragma integrity_check;
.open --readonly 'fourth.db'
delete from big;
.tables
.schema account
.open 'fourth.db'
create view rich as select owner from account where amount > 10;
insert into account values(3, 'quo''te "d" ü', 7), (4, null, 0);
.once dump.sql
.dump account movement moved rich
.open 'fifth.db'
.read dump.sql
select * from account order by id; select count(*), sum(amount) from movement; select * from rich order by owner;
insert into movement values(99, 3, 4, 2); select amount from account where id > 2; pragma integrity_check;
select type, name, length(sql) from sqlite_schema order by name;
