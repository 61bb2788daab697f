const SECRET_FIELDS = new Set(['passphrase', 'password', 'secret', 'token', 'keys', 'encryption', 'url']);
const LONGEST = 60;

/** What a person wrote, for a message; where a secret may stand, only what kind of value it is. */
export function foundText(value: unknown, path: readonly PropertyKey[]): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a map';
  if (path.some((step) => SECRET_FIELDS.has(String(step)))) return kindOf(value);
  const text = JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function kindOf(value: unknown): string {
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

/** `spec.encryption.keys[0].passphrase` */
export function fieldText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}
