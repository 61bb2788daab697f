import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which copies of the read models there are, and up to which event each has come. */
export class CreateGeneration1763600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table catena.generation (
        number integer primary key,
        state text not null check (state in ('building', 'live')),
        read_model_version integer not null,
        position bigint not null default 0,
        stopped text
      )`);
    await runner.query(
      `create unique index generation_live on catena.generation (state) where state = 'live'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table catena.generation');
  }
}
