/**
 * One request at a time, and of those that wait only the newest: while a slider moves, the picture
 * keeps up with the worker and the worker never falls behind the slider.
 */
export class LatestOnly<Request> {
  readonly #send: (request: Request) => void;
  #busy = false;
  #waiting: Request | undefined;

  constructor(send: (request: Request) => void) {
    this.#send = send;
  }

  request(request: Request): void {
    if (this.#busy) {
      this.#waiting = request;
      return;
    }
    this.#busy = true;
    this.#send(request);
  }

  /** To be called once for each request sent. True when no other had waited. */
  answered(): boolean {
    this.#busy = false;
    if (this.#waiting === undefined) return true;
    const next = this.#waiting;
    this.#waiting = undefined;
    this.request(next);
    return false;
  }
}
