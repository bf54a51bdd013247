/** A string of JSON, with the colon behind it where it is a key. Outside strings JSON has no quotes. */
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"(?:[ \t\r\n]*:)?/g;

/**
 * A key that stands twice in one object of a JSON text, or undefined. `JSON.parse` keeps the last of two equal keys without a
 * word, so two readers could see different files in one.
 * @param json a text that `JSON.parse` accepts
 * @param value what it gave
 */
export function findDuplicateKey(json: string, value: unknown): string | undefined {
  // Counting needs no look at the text character by character, in code that has not been compiled yet.
  const written = json.match(STRING)?.filter((text) => text.endsWith(":")).length ?? 0;
  return written === countKeys(value) ? undefined : firstDuplicate(json);
}

function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const parts = Object.values(value);
  let count = Array.isArray(value) ? 0 : parts.length;
  for (const part of parts) count += countKeys(part);
  return count;
}

function firstDuplicate(json: string): string | undefined {
  /** Keys seen so far in each open object. Arrays hold no keys of their own. */
  const open: Set<string>[] = [];
  for (const [token] of json.matchAll(new RegExp(`[{}]|${STRING.source}`, "g"))) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (token.endsWith(":")) {
      const key = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
