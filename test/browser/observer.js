/** Put in front of the page's own script: reports to the server what the page found, so that any browser can be asked without a driver. */
const complaints = [];
for (const level of ["error", "warn"]) {
  const say = console[level].bind(console);
  console[level] = (...words) => {
    complaints.push(words.join(" "));
    say(...words);
  };
}
addEventListener("error", (event) => complaints.push(`uncaught: ${event.message}`));
addEventListener("unhandledrejection", (event) => complaints.push(`unhandled: ${event.reason}`));
addEventListener("securitypolicyviolation", (event) =>
  complaints.push(`blocked: ${event.blockedURI}`),
);

// A saved file is kept instead of handed to the browser, which would ask where to put it.
let savedBlob;
const createObjectURL = URL.createObjectURL.bind(URL);
URL.createObjectURL = (blob) => {
  savedBlob = blob;
  return createObjectURL(blob);
};
HTMLAnchorElement.prototype.click = () => {};

const figures = () =>
  Object.fromEntries(
    [...document.querySelectorAll("[data-figure]")].map((figure) => [
      figure.dataset.figure,
      figure.textContent,
    ]),
  );

function settled() {
  const busy = document.querySelector("main")?.getAttribute("aria-busy");
  return busy === "false" && (figures().misfit ?? "…") !== "…";
}

async function report() {
  document.getElementById("save-map").click();
  const map = savedBlob === undefined ? [] : [...new Uint8Array(await savedBlob.arrayBuffer())];
  const body = JSON.stringify({ agent: navigator.userAgent, figures: figures(), complaints, map });
  await fetch("observed", { method: "POST", body });
}

const failure = () => {
  const line = document.getElementById("failure");
  return line === null || line.hidden ? undefined : line.textContent;
};

const timer = setInterval(() => {
  if (failure() !== undefined) complaints.push(`the page says: ${failure()}`);
  if (!settled() && failure() === undefined) return;
  clearInterval(timer);
  report().catch((error) => console.error(error));
}, 200);
