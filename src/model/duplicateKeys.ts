/**
 * The first key that stands twice in one object of a JSON text, or undefined. `JSON.parse` keeps
 * the last of two equal keys without a word, so two readers could see different files in one.
 * @param json a text that `JSON.parse` accepts
 */
export function findDuplicateKey(json: string): string | undefined {
  /** Keys seen so far in each open object; undefined for an open array. */
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === "{") open.push(new Set());
    else if (character === "[") open.push(undefined);
    else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const end = closingQuote(json, i);
      if (isKey(json, end)) {
        const key = JSON.parse(json.slice(i, end + 1)) as string;
        const keys = open.at(-1);
        if (keys?.has(key)) return key;
        keys?.add(key);
      }
      i = end;
    }
  }
  return undefined;
}

function closingQuote(json: string, start: number): number {
  let i = start + 1;
  while (i < json.length && json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
  return i;
}

/** Only a key is followed by a colon. */
function isKey(json: string, closing: number): boolean {
  let i = closing + 1;
  while (i < json.length && " \t\r\n".includes(json[i] as string)) i++;
  return json[i] === ":";
}
