/** The testbed's processes, seen from the one that started them. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { FromChild, SetUp, Turn } from "./messages.ts";

/** Beside this file in dist/. */
const childPath = fileURLToPath(new URL("./child.js", import.meta.url));

export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #onMessage: (message: FromChild) => void;

  /**
   * @param command what the process is started with, as `ip netns exec NAME`
   * @param onMessage gets "failed" too when the process ends by itself
   */
  constructor(
    name: string,
    command: readonly string[],
    setUp: SetUp,
    onMessage: (message: FromChild) => void,
  ) {
    this.name = name;
    this.#onMessage = onMessage;
    const [program, ...args] = [...command, process.execPath, childPath];
    this.#process = spawn(program!, args, {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
      // A group of its own: Ctrl-C reaches the parent alone, which ends its children.
      detached: process.platform !== "win32",
    });
    this.#process.on("message", (message) => onMessage(message as FromChild));
    this.#process.once("exit", this.#died);
    this.#process.once("error", (error) => onMessage({ kind: "failed", message: error.message }));
    this.#process.send(setUp);
  }

  send(turn: Turn): void {
    this.#process.send(turn);
  }

  /** Ends it, at once. */
  async stop(): Promise<void> {
    this.#process.off("exit", this.#died);
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => this.#process.once("exit", () => resolve()));
    this.#process.kill("SIGKILL");
    await ended;
  }

  readonly #died = (code: number | null, signal: string | null) => {
    this.#onMessage({ kind: "failed", message: `${this.name} ended early (${signal ?? code})` });
  };
}
