/** `epic broker` on its user file: fresh tokens, removals, and the same rights for Mosquitto. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic, writeFilesAtomic } from "../io/atomic.ts";
import { type Identity, parseUserName } from "../protocol/index.ts";
import { rightsOf } from "../transport/access.ts";
import { Users } from "../transport/users.ts";
import { MisuseError } from "./common.ts";

export interface UserEdits {
  users?: string;
  addUser?: string;
  tokenFile?: string;
  removeUser?: string;
  mosquitto?: string;
}

/** Does what the options ask of the user file. False when they ask nothing of it. */
export async function editUsers(options: UserEdits): Promise<boolean> {
  const { users: path, addUser, removeUser, mosquitto, tokenFile } = options;
  const asked = [addUser, removeUser, mosquitto].filter((option) => option !== undefined);
  if (tokenFile !== undefined && addUser === undefined) {
    throw new MisuseError("--token-file: expected --add-user with it");
  }
  if (asked.length === 0) return false;
  if (path === undefined) throw new MisuseError("--users: expected the user file, got nothing");
  if (asked.length > 1) {
    throw new MisuseError("--add-user: expected one of --add-user, --remove-user, --mosquitto");
  }
  if (addUser !== undefined) await add(path, addUser, tokenFile);
  if (removeUser !== undefined) await remove(path, removeUser);
  if (mosquitto !== undefined) await exportMosquitto(await Users.read(path), mosquitto);
  return true;
}

async function add(path: string, name: string, tokenFile: string | undefined): Promise<void> {
  if (parseUserName(name) === undefined) {
    throw new MisuseError(
      `--add-user: expected SURVEY.device.N or SURVEY.central, as line-4.device.2, got "${name}"`,
    );
  }
  const there = await stat(path).catch(() => undefined);
  const before = there === undefined ? new Users() : await Users.read(path);
  const { users, token } = before.with(name);
  // The token first: a user whose token nobody has is worse than a token that opens nothing yet.
  if (tokenFile !== undefined) await writeFileAtomic(tokenFile, `${token}\n`, { mode: 0o600 });
  await users.write(path);
  if (tokenFile === undefined) process.stdout.write(`${token}\n`);
}

async function remove(path: string, name: string): Promise<void> {
  const before = await Users.read(path);
  if (!before.names.includes(name)) {
    throw new MisuseError(`--remove-user: expected a user of ${path}, got "${name}"`);
  }
  await before.without(name).write(path);
}

/**
 * Two password files, because Mosquitto gives the devices a listener of their own, where the client
 * id is the user name and none can end another's session; and one access list.
 */
async function exportMosquitto(users: Users, folder: string): Promise<void> {
  const of = (role: Identity["role"]) => users.filter((identity) => identity.role === role);
  await writeFilesAtomic(folder, { acl: mosquittoAcl(users) });
  for (const [file, list] of Object.entries({ devices: of("device"), central: of("central") })) {
    await list.write(join(folder, `${file}.passwd`));
  }
}

/** The access list; what no line allows is refused. */
function mosquittoAcl(users: Users): string {
  const blocks = users.names.map((name) => {
    const { publish, subscribe } = rightsOf(parseUserName(name)!);
    return [
      `user ${name}`,
      ...publish.map((filter) => `topic write ${filter}`),
      ...subscribe.map((filter) => `topic read ${filter}`),
    ].join("\n");
  });
  return `${blocks.join("\n\n")}\n`;
}
