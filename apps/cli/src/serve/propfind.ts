/** PROPFIND of WebDAV (RFC 4918, section 9.1): what is asked for, and the answer. */

/** A property's name and namespace. */
export interface PropertyName {
  readonly space: string;
  readonly name: string;
}

export type PropertyRequest =
  | { readonly kind: 'all' }
  | { readonly kind: 'names' }
  | { readonly kind: 'some'; readonly names: PropertyName[] };

/** A resource and the values of its properties, which are XML already. */
export interface Described {
  readonly href: string;
  readonly properties: ReadonlyMap<string, string>;
}

export const DAV = 'DAV:';

const TAG = /<(\/?)([^\s<>/=!?]+)((?:\s+[^\s=<>]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/g;

/**
 * Reads the body of a PROPFIND as far as it matters: elements with their namespaces. Nothing in it is expanded or
 * fetched; `undefined` when it is no such body. An empty one asks for everything.
 */
export function readPropfind(body: string): PropertyRequest | undefined {
  if (body.trim() === '') return { kind: 'all' };
  const spaces = [new Map<string, string>()];
  const path: string[] = [];
  const names: PropertyName[] = [];
  let kind: PropertyRequest['kind'] | undefined;
  for (const [, closing, qualified = '', attributes = '', empty] of body
    .replace(/<!--[^]*?-->/g, '')
    .matchAll(TAG)) {
    if (closing === '/') {
      path.pop();
      spaces.pop();
      continue;
    }
    const scope = new Map(spaces.at(-1));
    for (const [, prefix = '', , double, single] of attributes.matchAll(
      /xmlns(?::([^\s=]+))?\s*=\s*("([^"]*)"|'([^']*)')/g,
    ))
      scope.set(prefix, double ?? single ?? '');
    const [prefix = '', name = ''] = qualified.includes(':') ? qualified.split(':') : ['', qualified];
    const space = scope.get(prefix) ?? '';
    const inside = path.join('/');
    if (inside === '' && !(space === DAV && name === 'propfind')) return undefined;
    if (inside === 'propfind' && space === DAV) {
      if (name === 'allprop') kind = 'all';
      else if (name === 'propname') kind = 'names';
      else if (name === 'prop') kind = 'some';
    }
    if (inside === 'propfind/prop') names.push({ space, name });
    if (empty !== '/') {
      path.push(name);
      spaces.push(scope);
    }
  }
  if (kind === undefined || path.length > 0) return undefined;
  return kind === 'some' ? { kind, names } : { kind };
}

/** Text that stands for itself in XML; what XML cannot have at all becomes the replacement character. */
export function xmlText(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function propstat(content: string, status: string): string {
  return `<D:propstat><D:prop>${content}</D:prop><D:status>HTTP/1.1 ${status}</D:status></D:propstat>`;
}

function missing({ space, name }: PropertyName): string {
  return space === '' ? `<${name} xmlns=""/>` : `<X:${name} xmlns:X="${xmlText(space)}"/>`;
}

/** One `response` of a multi-status. */
export function describe({ href, properties }: Described, request: PropertyRequest): string {
  const value = (name: string, content: string) =>
    content === '' ? `<D:${name}/>` : `<D:${name}>${content}</D:${name}>`;
  const stats: string[] = [];
  if (request.kind === 'some') {
    const known = request.names.filter(({ space, name }) => space === DAV && properties.has(name));
    const unknown = request.names.filter((one) => !known.includes(one));
    if (known.length > 0 || unknown.length === 0)
      stats.push(
        propstat(known.map(({ name }) => value(name, properties.get(name) ?? '')).join(''), '200 OK'),
      );
    if (unknown.length > 0) stats.push(propstat(unknown.map(missing).join(''), '404 Not Found'));
  } else {
    const content = [...properties].map(([name, text]) => value(name, request.kind === 'all' ? text : ''));
    stats.push(propstat(content.join(''), '200 OK'));
  }
  return `<D:response><D:href>${xmlText(href)}</D:href>${stats.join('')}</D:response>\n`;
}

export const MULTISTATUS_BEGIN = '<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">\n';
export const MULTISTATUS_END = '</D:multistatus>\n';
