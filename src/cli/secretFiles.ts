/** Tokens, keys and certificates: from files, never from the command line, which others can read. */
import { readFile, stat } from "node:fs/promises";
import { MisuseError } from "./common.ts";

const SECRET_BYTES_MAX = 4096;
const PEM_BYTES_MAX = 2 ** 20;
const FOR_OTHERS = 0o077;

/** The first line of a token file. Says on stderr when other users of the machine can read it. */
export async function readToken(path: string, option: string): Promise<string> {
  const text = await readSmall(path, option, SECRET_BYTES_MAX);
  const token = text.split(/\r?\n/, 1)[0]!;
  if (token === "") throw new MisuseError(`${option}: expected a token in ${path}, got nothing`);
  await warnIfShared(path, option);
  return token;
}

/** @param secret a key, which others should not be able to read */
export async function readPem(path: string, option: string, secret = false): Promise<string> {
  const text = await readSmall(path, option, PEM_BYTES_MAX);
  if (!text.includes("-----BEGIN ")) {
    throw new MisuseError(`${option}: expected a PEM file, got ${path}`);
  }
  if (secret) await warnIfShared(path, option);
  return text;
}

async function readSmall(path: string, option: string, bytesMax: number): Promise<string> {
  const status = await stat(path).catch(() => undefined);
  if (status === undefined || status.isDirectory()) {
    throw new MisuseError(`${option}: expected a file, got ${path}`);
  }
  if (status.size > bytesMax) {
    throw new MisuseError(`${option}: expected at most ${bytesMax} bytes, got ${status.size}`);
  }
  return readFile(path, "utf8");
}

async function warnIfShared(path: string, option: string): Promise<void> {
  const { mode } = await stat(path);
  if (process.platform === "win32" || (mode & FOR_OTHERS) === 0) return;
  const octal = (mode & 0o777).toString(8);
  process.stderr.write(
    `epic: ${option}: ${path} is open to other users (mode ${octal}, not 600)\n`,
  );
}
