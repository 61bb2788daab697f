import {
  aggregateTypeOf,
  aggregateTypes,
  eventSchemas,
  eventTypes,
  type EventType,
} from '../catalogue/catalogue.ts';
import { currentVersion } from '../catalogue/versions.ts';
import { EVENT_SUBJECT_ROOT } from '../subject.ts';
import { fieldsOf, summaryOf } from './event-fields.ts';

const introduction = `# Events

This page is made from the schemas in \`libs/events\`; a test fails when it is out of date. To write it again:
\`npm run docs:events\`.

## Where they are

Every event is one message of the JetStream stream \`CATENA_EVENTS\`, on the subject

    ${EVENT_SUBJECT_ROOT}.<aggregate>.<id>.<event>

so \`${EVENT_SUBJECT_ROOT}.run.*.completed\` is every completed run, and \`${EVENT_SUBJECT_ROOT}.run.<id>.>\` the whole history
of one. The stream only ever grows. Its sequence numbers are the order of everything that happened.

## What every event carries

An event is a [CloudEvents](https://cloudevents.io) 1.0 message in binary mode: attributes in headers, JSON as data. Header
values are percent-encoded where they are not printable ASCII, as in the HTTP binding.

| header | what |
| --- | --- |
| \`ce-specversion\` | \`1.0\` |
| \`ce-id\` | Unique. The same decision made again has the same id. |
| \`ce-source\` | \`/catena\` |
| \`ce-type\` | \`<aggregate>.<event>\`, as below |
| \`ce-subject\` | \`<aggregate>/<id>\` |
| \`ce-time\` | When it was decided: an instant. |
| \`ce-datacontenttype\` | \`application/json\` |
| \`ce-schemaversion\` | Version of the type's schema. A reader that knows only older ones stops. |
| \`ce-actor\` | \`person:<name>\` or \`<service>:<instance>\` |
| \`ce-correlationid\` | The run, or the command where there is no run. |
| \`ce-causationid\` | The event or command that led to it. |
| \`Catena-Previous\` | Hash of the aggregate's event before; empty for its first. |
| \`Catena-Recorded-At\` | Only in an imported log: when the event was first stored. |

The hash of an event is the SHA-256, in base64url without padding, of its subject and a line feed, every header above except
\`Catena-Recorded-At\` as \`name:value\` and a line feed in the order of these lines' bytes, one more line feed, and the data. So each event vouches
for the whole history of its aggregate before it.

Types of fields: an *instant* is ISO 8601 in UTC with milliseconds; a *position* a non-negative integer of any width as
decimal text; a *name* what \`metadata.name\` of a definition may be. Bytes and counts are exact.
`;

/** The text of docs/events.md. */
export function eventsCatalogue(): string {
  const sections = aggregateTypes.map((aggregate) => {
    const types = eventTypes.filter((type) => aggregateTypeOf(type) === aggregate);
    return [`## ${aggregate}\n`, overviewOf(types), ...types.map(sectionOf)].join('\n');
  });
  return [introduction, ...sections].join('\n');
}

function overviewOf(types: readonly EventType[]): string {
  const rows = types.map(
    (type) => `| [\`${type}\`](#${anchorOf(type)}) | ${cell(summaryOf(eventSchemas[type]))} |`,
  );
  return ['| event | says |', '| --- | --- |', ...rows, ''].join('\n');
}

function sectionOf(type: EventType): string {
  const rows = fieldsOf(eventSchemas[type]).map(
    ({ name, type: kind, required, description }) =>
      `| \`${name}\` | ${cell(kind)} | ${required ? 'yes' : 'no'} | ${cell(description)} |`,
  );
  return [
    `### ${type}\n`,
    `Version ${currentVersion(type)}. ${summaryOf(eventSchemas[type])}\n`,
    '| field | type | always | what |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** As GitHub makes anchors of headings. */
function anchorOf(type: EventType): string {
  return type.replaceAll('.', '');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
