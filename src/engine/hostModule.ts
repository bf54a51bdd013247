/**
 * A module built into the host: of Node from 20.16, Deno and Bun. Asked for by name, not imported, so that browsers and bundlers need
 * not know that it exists. Undefined elsewhere.
 */
export function hostModule<T>(name: string): T | undefined {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => T | undefined };
  };
  return process?.getBuiltinModule?.(name);
}
