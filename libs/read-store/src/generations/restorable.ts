/** States in which the objects of a backup are there for those that need them (rules.md section 5.4). */
export const OBJECTS_THERE = `('usable', 'expired')`;

/**
 * The SQL condition that a backup is a restore point: a data backup that is usable and whose closure is there.
 * @param point alias of the backup's row
 * @param table the table to look the closure up in
 * @param held the condition that the row of an alias holds
 */
export function restorable(point: string, table: string, held: (alias: string) => string): string {
  return `${point}.state = 'usable' and ${point}.type <> 'log' and not exists (
    select from unnest(${point}.closure) as needed (id)
      left join ${table} as member on member.backup = needed.id and ${held('member')}
      where member.state is null or member.state not in ${OBJECTS_THERE})`;
}
