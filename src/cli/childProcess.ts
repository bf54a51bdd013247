/** A child that runs another command of this program, and is gone when the parent wants it gone. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Beside this file in dist/. */
const mainPath = fileURLToPath(new URL("./main.js", import.meta.url));
const STOP_MS = 3000;
const OUTPUT_CHARS_MAX = 1 << 20;

export class CommandProcess {
  /** For messages: "edge 2". */
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;
  #output = "";
  #errors = "";
  #stopping = false;

  /** Starts `epic ...args`. It also ends when this process dies: see lifetime.ts. */
  constructor(name: string, args: readonly string[]) {
    this.name = name;
    this.#child = spawn(process.execPath, [mainPath, ...args], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // A group of its own: Ctrl-C reaches the parent alone, which stops its children in order.
      detached: process.platform !== "win32",
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#output = (this.#output + text).slice(-OUTPUT_CHARS_MAX);
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-OUTPUT_CHARS_MAX);
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(error.message));
      this.#child.once("close", (code, signal) => {
        resolve(signal === null ? `exit code ${code}` : `signal ${signal}`);
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Rejects, with the child's last words, when it ends before `stop` is called. */
  async unexpectedEnd(): Promise<never> {
    const how = await this.#ended;
    if (this.#stopping) return new Promise<never>(() => {});
    const words = this.#errors
      .trim()
      .split("\n")
      .at(-1)
      ?.replace(/^epic: /, "");
    throw new Error(`${this.name} ended early (${how})${words ? `: ${words}` : ""}`);
  }

  /** Asks it to end, makes it end after three seconds. Resolves with what it wrote on stdout. */
  async stop(): Promise<string> {
    this.#stopping = true;
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGTERM");
    }
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    await this.#ended;
    clearTimeout(timer);
    return this.#output;
  }
}
