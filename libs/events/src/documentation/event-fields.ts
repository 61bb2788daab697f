import { z } from 'zod';
import { definitionName, instant, position } from '../catalogue/vocabulary.ts';

/** One field of a payload, flattened: `a.b` lies in `a`, `a[].b` in each item of the list `a`. */
export interface EventField {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

/** The part of JSON Schema that event payloads use. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
}

function schemaOf(type: z.ZodType): Schema {
  return z.toJSONSchema(type) as Schema;
}

/** Texts that the vocabulary gives a name. */
const NAMED = new Map([
  [schemaOf(instant).pattern, 'instant'],
  [schemaOf(position).pattern, 'position'],
  [schemaOf(definitionName).pattern, 'name'],
]);

/** What an event type is for, from its schema. */
export function summaryOf(type: z.ZodType): string {
  return schemaOf(type).description ?? '';
}

/** The fields of an event's payload, in the order of its schema. */
export function fieldsOf(type: z.ZodType): EventField[] {
  return fieldsIn(schemaOf(type), '');
}

function fieldsIn(schema: Schema, prefix: string): EventField[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const required = schema.required?.includes(name) ?? false;
    return [
      { name: path, type: typeOf(field), required, description: field.description ?? '' },
      ...below(field, path),
    ];
  });
}

function below(field: Schema, path: string): EventField[] {
  const kinds = field.oneOf ?? field.anyOf;
  if (kinds) return kinds.flatMap((kind) => fieldsOfKind(kind, path));
  if (field.items) return below(field.items, `${path}[]`);
  return fieldsIn(field, `${path}.`);
}

/** One of several shapes; the field that tells them apart is named in the path. */
function fieldsOfKind(kind: Schema, path: string): EventField[] {
  const tag = Object.entries(kind.properties ?? {}).find(([, { const: only }]) => only !== undefined);
  if (!tag) return fieldsIn(kind, `${path}.`);
  const [name, { const: only }] = tag;
  return fieldsIn(kind, `${path}(${name}: ${String(only)}).`).filter(
    (field) => !field.name.endsWith(`.${name}`),
  );
}

function typeOf(schema: Schema): string {
  const kinds = schema.oneOf ?? schema.anyOf;
  if (kinds) return 'one of the following';
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.type === 'array') return `list of ${schema.items ? typeOf(schema.items) : 'anything'}`;
  if (schema.type === 'object') return mapType(schema);
  if (schema.type === 'integer') return integerType(schema);
  if (schema.type === 'string') return NAMED.get(schema.pattern) ?? 'text';
  return schema.type ?? 'anything';
}

function mapType({ properties, additionalProperties }: Schema): string {
  if (properties) return 'object';
  return typeof additionalProperties === 'object' ? `map to ${typeOf(additionalProperties)}` : 'object';
}

function integerType({ minimum, exclusiveMinimum }: Schema): string {
  if (exclusiveMinimum === 0) return 'integer > 0';
  return minimum === 0 ? 'integer ≥ 0' : 'integer';
}
