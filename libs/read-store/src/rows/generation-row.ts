import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Count, OptionalText } from './columns.ts';

/** One copy of the read models. The live one answers; another may be in the building beside it. */
@Entity({ schema: 'catena', name: 'generation' })
export class GenerationRow {
  @PrimaryColumn('integer') number!: number;
  @Column('text') state!: 'building' | 'live';
  /** Which build's read models it holds. */
  @Column('integer') readModelVersion!: number;
  /** Log sequence of the last event that its rows contain. */
  @Count() position!: number;
  /** Why it does not go on; null: it does. */
  @OptionalText() stopped!: string | null;
}
