/**
 * The broker's user file: one `name:$7$iterations$salt$hash` per line, which is Mosquitto's password
 * file too (PBKDF2 with SHA-512), so that one file serves either broker. Blank lines and lines that
 * begin with # are skipped.
 */
import { pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { writeFileAtomic } from "../io/atomic.ts";
import { type Identity, parseUserName } from "../protocol/index.ts";

const TOKEN_BYTES = 32;
const SALT_BYTES = 12;
const HASH_BYTES = 64;
/**
 * Mosquitto's default. Tokens are 256 random bits, never words that a person chose, so that there is
 * nothing to slow down: a guess is hopeless at any speed.
 */
const ITERATIONS = 101;
const ITERATIONS_MAX = 1_000_000;
const FILE_BYTES_MAX = 16 * 2 ** 20;
/** A user file is read and written by its owner alone. */
const OWNER_ONLY = 0o600;

interface Secret {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** The users of a broker and the hashes of their tokens. */
export class Users {
  readonly #secrets: ReadonlyMap<string, Secret>;

  /** @throws Error of one line that names the file, and the line when one is wrong */
  static async read(path: string): Promise<Users> {
    const { size } = await stat(path);
    if (size > FILE_BYTES_MAX) {
      throw new Error(`${path}: expected at most ${FILE_BYTES_MAX} bytes, got ${size}`);
    }
    return Users.parse(await readFile(path, "utf8"), path);
  }

  /** @param name of the file, for errors */
  static parse(text: string, name: string): Users {
    const secrets = new Map<string, Secret>();
    text.split(/\r?\n/).forEach((line, index) => {
      if (line.trim() === "" || line.startsWith("#")) return;
      const colon = line.indexOf(":");
      const user = line.slice(0, Math.max(colon, 0));
      const secret = parseSecret(line.slice(colon + 1));
      const wrong = (expected: string) =>
        new Error(`${name}: line ${index + 1}: expected ${expected}`);
      if (parseUserName(user) === undefined) {
        throw wrong('a user "SURVEY.device.N" or "SURVEY.central" before a colon');
      }
      if (secret === undefined) throw wrong("$7$iterations$salt$hash after the colon");
      if (secrets.has(user)) throw wrong(`each user once, got ${user} again`);
      secrets.set(user, secret);
    });
    return new Users(secrets);
  }

  constructor(secrets: ReadonlyMap<string, Secret> = new Map()) {
    this.#secrets = secrets;
  }

  get names(): string[] {
    return [...this.#secrets.keys()].sort();
  }

  /**
   * The identity of `name` when `token` is its token. Takes the same time whether the name or the
   * token is wrong.
   */
  authenticate(name: string, token: Uint8Array): Identity | undefined {
    const known = this.#secrets.get(name);
    const { iterations, salt, hash } = known ?? NOBODY;
    const derived = pbkdf2Sync(token, salt, iterations, HASH_BYTES, "sha512");
    const matches = timingSafeEqual(derived, hash);
    return matches && known !== undefined ? parseUserName(name) : undefined;
  }

  /** Whether `name` has the same token in both lists: what must hold for a session to go on. */
  agreesWith(other: Users, name: string): boolean {
    const [one, two] = [this.#secrets.get(name), other.#secrets.get(name)];
    return one !== undefined && two !== undefined && formatSecret(one) === formatSecret(two);
  }

  /** This list with a fresh token for `name`, and that token: it is kept nowhere else. */
  with(name: string): { users: Users; token: string } {
    if (parseUserName(name) === undefined) {
      throw new Error(
        `user: expected SURVEY.device.N or SURVEY.central, as line-4.device.2, got "${name}"`,
      );
    }
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    const salt = randomBytes(SALT_BYTES);
    const hash = pbkdf2Sync(token, salt, ITERATIONS, HASH_BYTES, "sha512");
    const secrets = new Map(this.#secrets).set(name, { iterations: ITERATIONS, salt, hash });
    return { users: new Users(secrets), token };
  }

  /** @throws Error of one line when there is no such user */
  without(name: string): Users {
    const secrets = new Map(this.#secrets);
    if (!secrets.delete(name)) throw new Error(`user: expected one of the file, got "${name}"`);
    return new Users(secrets);
  }

  /** Those users that `keep` says. */
  filter(keep: (identity: Identity) => boolean): Users {
    return new Users(new Map([...this.#secrets].filter(([name]) => keep(parseUserName(name)!))));
  }

  /** Writes the file whole or not at all, readable by its owner alone. */
  async write(path: string): Promise<void> {
    await writeFileAtomic(path, this.format(), { mode: OWNER_ONLY });
  }

  format(): string {
    return this.names.map((name) => `${name}:${formatSecret(this.#secrets.get(name)!)}\n`).join("");
  }
}

/** What an unknown name is compared with; no token has an all-zero hash. */
const NOBODY: Secret = {
  iterations: ITERATIONS,
  salt: Buffer.alloc(SALT_BYTES),
  hash: Buffer.alloc(HASH_BYTES),
};

function formatSecret({ iterations, salt, hash }: Secret): string {
  return `$7$${iterations}$${salt.toString("base64")}$${hash.toString("base64")}`;
}

function parseSecret(text: string): Secret | undefined {
  const match = /^\$7\$(\d{1,7})\$([A-Za-z0-9+/]{2,64}={0,2})\$([A-Za-z0-9+/]{86}==)$/.exec(text);
  if (match === null) return undefined;
  const iterations = Number(match[1]);
  if (iterations < 1 || iterations > ITERATIONS_MAX) return undefined;
  const salt = Buffer.from(match[2]!, "base64");
  return { iterations, salt, hash: Buffer.from(match[3]!, "base64") };
}
