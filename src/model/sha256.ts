import { hostModule } from "../engine/hostModule.ts";

/** What this file needs of Node's `crypto`. */
interface NodeCrypto {
  createHash(name: "sha256"): NodeHash;
}

interface NodeHash {
  update(bytes: Uint8Array): NodeHash;
  digest(encoding: "hex"): string;
}

/**
 * SHA-256 of `parts`, one after the other, in hex. Node, Deno and Bun hash them where they stand; WebCrypto wants one piece, copies
 * it and asks another thread, and a page from an insecure origin has none.
 */
export async function sha256Hex(...parts: readonly Uint8Array[]): Promise<string> {
  const hash = hostModule<NodeCrypto>("crypto")?.createHash("sha256");
  if (hash) {
    for (const part of parts) hash.update(part);
    return hash.digest("hex");
  }
  const whole = joined(parts);
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (!subtle) return (await import("./sha256Plain.ts")).sha256Plain(whole);
  const digest = await subtle.digest("SHA-256", whole);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [only] = parts;
  // WebCrypto takes no view of a shared buffer.
  if (parts.length === 1 && only!.buffer instanceof ArrayBuffer) {
    return only as Uint8Array<ArrayBuffer>;
  }
  const whole = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
