/** The testbed's processes, seen from the one that started them. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { FromChild, SetUp, Turn } from "./messages.ts";

/** Beside this file in dist/. */
const childPath = fileURLToPath(new URL("./child.js", import.meta.url));

export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #onMessage: (message: FromChild) => void;

  /** @param onMessage gets "failed" too when the process ends by itself */
  constructor(name: string, setUp: SetUp, onMessage: (message: FromChild) => void) {
    this.name = name;
    this.#onMessage = onMessage;
    this.#process = fork(childPath, [], { serialization: "advanced" });
    this.#process.on("message", (message) => onMessage(message as FromChild));
    this.#process.once("exit", this.#died);
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
