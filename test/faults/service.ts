/** One process of the built program that tests kill and start again. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const LINES_KEPT = 40;

export class Service {
  readonly name: string;
  args: readonly string[];
  /** Called with each line of stderr, of all starts. */
  onLine: (line: string) => void = () => {};
  starts = 0;
  readonly #env: Readonly<Record<string, string>>;
  readonly #inside: readonly string[];
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #expected = false;
  #lastLines: string[] = [];
  #stdout = "";
  /** How it ended when nobody had asked it to. */
  #fault: string | undefined;

  /** @param inside what it is started with, as `ip netns exec NAME` */
  constructor(
    name: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    inside: readonly string[] = [],
  ) {
    this.name = name;
    this.args = args;
    this.#env = env;
    this.#inside = inside;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get lastLines(): string {
    return this.#lastLines.join("\n");
  }

  /** What must not have happened: an end of its own, with its last words. */
  get fault(): string | undefined {
    return this.#fault;
  }

  start(): this {
    const [program, ...args] = [...this.#inside, process.execPath, main, ...this.args];
    const child = spawn(program!, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...this.#env },
    });
    this.#child = child;
    this.#expected = false;
    this.#stdout = "";
    this.starts++;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    let rest = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#hear(line);
    });
    this.#ended = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        if (!this.#expected) {
          this.#fault = `${this.name} ended (${signal ?? code}):\n${this.lastLines}`;
        }
        resolve();
      });
    });
    return this;
  }

  /** Resolves when it is gone. Does nothing to one that is not there. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.#expected = true;
    this.#child?.kill(signal);
    await this.#ended;
  }

  /** SIGSTOP or SIGCONT. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(signal);
  }

  /** Waits for an end of its own accord; its exit code. */
  async end(): Promise<number | null> {
    this.#expected = true;
    await this.#ended;
    return this.#child?.exitCode ?? null;
  }

  #hear(line: string): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > LINES_KEPT) this.#lastLines.shift();
    this.onLine(line);
  }
}
