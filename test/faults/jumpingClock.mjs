/** Loaded into a process before its program: its wall clock jumps by up to ten days, back and forth. */
const { now } = Date;
const RealDate = Date;
let offsetMs = 0;

setInterval(() => {
  offsetMs = Math.round((Math.random() * 2 - 1) * 10 * 86_400_000);
}, 100).unref();

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(now() + offsetMs);
    else super(...args);
  }

  static now() {
    return now() + offsetMs;
  }
};
