import { restorable } from './restorable.ts';

/**
 * The select of the recovery windows: stretches that logs cover without a gap, from the first data backup in each that can
 * be restored. Of several branches the newest counts, and of the older ones what came before it left them; what they have beyond that
 * is in windows of their own (`left_branch`).
 * @param schema what stands before a table's name
 * @param held the condition that the row of an alias holds
 * @param chosen a condition on the rows of `backup` to look at
 */
export function recoveryWindows({
  schema,
  held,
  chosen = 'true',
}: {
  schema: string;
  held: (alias: string) => string;
  chosen?: string;
}): string {
  const backup = `${schema}backup`;
  return `
    with known as (
      select backup.collection, backup.source, backup.repository, backup.family, backup.backup, backup.type, backup.fork,
        backup.state, backup.as_of, backup.finished_at, backup.bytes_added, backup.start::numeric as first, backup.position::numeric as last,
        ${restorable('backup', backup, held)} as restorable
      from ${backup} as backup where backup.fork is not null and ${held('backup')} and ${chosen}
    ), branch as (
      select collection, family, fork,
        -- A log in which nothing was committed may show no time, which is 1970.
        coalesce(min(as_of) filter (where as_of > 'epoch'), min(finished_at)) as since, min(case type when 'log' then first else last end) as first
      from known group by collection, family, fork
    ), newest as (
      select collection, family, max(since) as since from branch group by collection, family
    ), head as (
      select branch.collection, branch.family, branch.fork as head, branch.since,
        branch.since < newest.since as is_left
      from branch join newest using (collection, family)
    ), on_path as (
      -- A server that lived on for a while after another was promoted has logs that go beyond where it was left: they count up to there,
      -- and the time that they show may be of what lies behind.
      select known.collection, known.source, known.repository, known.family, known.backup, known.type, known.fork, known.state,
        known.bytes_added, known.first, known.restorable, coalesce(past.cut, known.last) as last,
        case when past.cut is null then known.as_of else 'epoch' end as as_of, head.head, head.is_left
      from known join branch as own using (collection, family, fork)
      join head on head.collection = known.collection and head.family = known.family and head.since >= own.since
      cross join lateral (
        select min(later.first) as cut from branch as later
        where later.collection = known.collection and later.family = known.family and later.fork <> known.fork
          and later.since > own.since and later.since <= head.since and later.first < known.last
      ) as past
      where past.cut is null or (known.type = 'log' and known.first < past.cut)
    ), log as (
      select *, coalesce(first > max(last) over (
          partition by collection, family, head order by first, last rows between unbounded preceding and 1 preceding
        ), true) as begins
      from on_path where type = 'log' and state = 'usable' and last > first
    ), numbered as (
      select *, count(*) filter (where begins) over (partition by collection, family, head order by first, last) as number
      from log
    ), stretch as (
      select collection, family, head, is_left, source, repository, number, min(first) as first, max(last) as last,
        max(as_of) as last_at, count(*) as logs, sum(bytes_added)::bigint as bytes_added,
        (array_agg(fork order by last desc))[1] as fork
      from numbered group by collection, family, head, is_left, source, repository, number
    ), after_gap as (
      select *, lag(last) over chain as gap_from, lag(last_at) over chain as gap_from_at
      from stretch window chain as (partition by collection, family, head order by first)
    )
    select stretch.source, stretch.repository, stretch.collection, stretch.family, stretch.fork,
      -- The server's log is known to be quiet until a while ago only, which may be before the data backup ended.
      begin.as_of as from_time, greatest(begin.as_of, stretch.last_at) as to_time,
      begin.last::text as from_position, stretch.last::text as to_position,
      greatest(begin.as_of, stretch.last_at, (
        select max(quiet.as_of) from on_path as quiet
        where quiet.collection = stretch.collection and quiet.family = stretch.family and quiet.head = stretch.head
          and quiet.type = 'log' and quiet.state = 'usable' and quiet.last = stretch.last)) as known_until,
      begin.backup, stretch.logs, stretch.bytes_added,
      stretch.gap_from_at, stretch.gap_from::text as gap_from_position,
      case when stretch.gap_from is null then null else stretch.first::text end as gap_to_position,
      stretch.is_left as left_branch
    from after_gap as stretch
    cross join lateral (
      select data.backup, data.as_of, data.last from on_path as data
      where data.collection = stretch.collection and data.family = stretch.family and data.head = stretch.head
        and data.type <> 'log' and data.restorable and data.last >= stretch.first and data.last < stretch.last
      order by data.last limit 1
    ) as begin
    -- Of a branch that was left only what reaches beyond where it was left: the rest is in the newest one's windows.
    where not stretch.is_left or (stretch.fork = stretch.head and exists (
      select from branch as later
      where later.collection = stretch.collection and later.family = stretch.family
        and later.since > (select own.since from branch as own where own.collection = stretch.collection
          and own.family = stretch.family and own.fork = stretch.head)
        and later.first < stretch.last))`;
}
