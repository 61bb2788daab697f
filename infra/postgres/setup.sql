-- A database of your own for Catena's projections. PostgreSQL 14 or newer, as a superuser:
--   psql -v password=… -f setup.sql
-- Then: CATENA_DATABASE_URL=postgres://catena:…@host:5432/catena
-- Everything in it can be built again from the event log (`catena catalog rebuild`).
create role catena login password :'password';
create database catena owner catena encoding 'UTF8' locale 'C' template template0;
