/**
 * A copy with characters of its own. What is cut out of a longer text keeps all of that text in memory: a time from a
 * message's headers keeps all its headers, and of times there may be a million.
 */
export function ownText(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
