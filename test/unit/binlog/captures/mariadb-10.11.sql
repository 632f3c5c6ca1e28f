create database shop; use shop;
create table types (id int unsigned not null primary key, t1 tinyint, y year, i2 smallint unsigned, i3 mediumint unsigned, y2 year, f float unsigned, d double, n decimal(10,2) unsigned, b bigint unsigned, bt bit(10),
 c1 varchar(10) character set latin1, g point, c2 text character set utf8mb4, u uuid, ip inet6, e1 enum('a','b') character set latin1, j json, s1 set('x','y') character set utf8mb4, bin varbinary(9), bl blob, ch char(250) character set utf8mb4, cmp text compressed character set latin1, vcmp varchar(100) compressed, dt datetime(6), ts timestamp(3) null, tm time(2), inv int invisible default 3);
insert into types(id,t1,c1) values (1,2,'x');
create table pfx (a varchar(100), b text, c int unsigned, d int, primary key(c, b(10)));
insert into pfx values('a','b',1,2);
create table y (a year, b int unsigned, c int, d int unsigned);
insert into y values (2020,1,2,3);
update y set c=4;
delete from y;
start transaction; insert into y values (2021,1,2,3); savepoint s1; insert into y values (2022,1,2,3); rollback to s1; commit;
create table my (id int) engine=myisam; insert into my values (1),(2);
start transaction; insert into my values(3); insert into y values (2023,1,2,3); rollback;
truncate table y; drop table pfx;
set names latin1; alter table y add column e int comment 'x';
flush binary logs;
insert into y values (2023,1,2,3,4);
